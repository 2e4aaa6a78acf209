"""YAML 1.2, the part that settings need; the owner of PyYAML.

Plain scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), so `off`, `no` and
dates stay text. Tags, anchors, aliases, several documents and repeated keys are refused. Keys are always text.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from mlops_ci.errors import ConfigError
from mlops_ci.records.results import Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
SMALLEST = """version: 1
project: churn
task: classification
data:
  sources: {customers: data/customers.csv}
  target: churned
train: {entrypoint: pipeline.train:train}
"""

_CONSTANTS: dict[str, Any] = {"": None, "~": None} | {
    form: value
    for word, value in {"null": None, "true": True, "false": False}.items()
    for form in (word, word.capitalize(), word.upper())
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# What YAML calls printable, 1.2.2 section 5.1; lone surrogates are what undecodable bytes become.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Path = tuple[str | int, ...]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Plain data (dict, list, text, numbers, booleans, None) and the line each part stands on."""

    file: str
    value: Any
    lines: dict[Path, int]
    spans: dict[Path, tuple[int, int]]
    """Where each scalar is written, quotes and all: its first character and the one behind it."""

    def where(self, path: Path) -> Where:
        """The line of the key or item at `path`, or of the nearest part around it."""
        for length in range(len(path), -1, -1):
            if line := self.lines.get(path[:length]):
                return Where(self.file, line)
        return Where(self.file)


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")


def scalar(text: str) -> str:
    """`text` as YAML that reads back as the same text, in block and flow context."""
    return text if _PLAIN.fullmatch(text) and text not in _CONSTANTS else quoted(text)


def quoted(text: str) -> str:
    """`text` as YAML in quotes: for readers of YAML 1.1 too, who take `on` and `y` for booleans."""
    escaped = _UNPRINTABLE.sub(lambda found: f"\\U{ord(found.group()):08X}", json.dumps(text, ensure_ascii=False))
    return escaped.replace("\x85", "\\N").replace("\u2028", "\\L").replace("\u2029", "\\P")


def decode(data: bytes, *, file: str) -> str:
    """The text of a file that people write; ConfigError with the line where it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        raise ConfigError(found, "Save the file as UTF-8.", where=str(Where(file, line))) from error


def load(text: str, *, file: str, example: str = SMALLEST) -> Document:
    """Parse one document. ConfigError with `file:line`; `example` is shown where there is nothing to read."""
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ConfigError(
            f"larger than {MAX_BYTES:,} bytes", "Settings are small: keep data in files they name.", where=file
        )
    if found := _UNPRINTABLE.search(text):
        _refuse(
            f"the character U+{ord(found.group()):04X} is not allowed",
            "Remove it, or write it as an escape in double quotes.",
            file,
            text.count("\n", 0, found.start()) + 1,
        )
    document = _Reader(text, file).document()
    if document.value is None:
        raise ConfigError("nothing is written in it", f"The smallest one that works:\n\n{example}", where=file)
    return document


def replaced(text: str, values: Mapping[Path, str], *, file: str) -> str:
    """`text` with other texts at the paths of some scalars; all else, remarks too, stays as it is written.

    ConfigError with `file:line` where one of them is written over several lines, or does not read back.
    """
    document = load(text, file=file)
    start = text.startswith("\ufeff")
    made = text
    for path in sorted(values, key=lambda one: document.spans[one], reverse=True):
        first, end = (at + start for at in document.spans[path])
        if len(made[first:end].splitlines()) > 1:
            _refuse("this is written over several lines", "Write it on one.", file, document.lines[path])
        made = made[:first] + quoted(values[path]) + made[end:]
    expected = {path: values.get(path, value) for path, value in scalars(document)}
    if repr(dict(scalars(load(made, file=file)))) != repr(expected):  # repr: not a number is not itself
        raise ConfigError("nothing can be put into it as it is written", "Write one key a line.", where=file)
    return made


def scalars(document: Document) -> Iterator[tuple[Path, Any]]:
    """Every scalar with its path, in the order of the file."""
    for path in document.spans:
        value = document.value
        for part in path:
            value = value[part]
        yield path, value


def _refuse(message: str, advice: str, file: str, line: int | None) -> NoReturn:
    raise ConfigError(message, advice, where=str(Where(file, line)))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Reader:
    """Events of PyYAML into plain data; refuses what settings have no use for."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._lines: dict[Path, int] = {}
        self._spans: dict[Path, tuple[int, int]] = {}
        self._events = self._parse(text)

    def document(self) -> Document:
        import yaml

        value: Any = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._no(event, "a second document starts here (`---`)", "Keep one document in the file.")
                value = self._value(next(self._events), (), 0)
        return Document(file=self._file, value=value, lines=self._lines, spans=self._spans)

    def _parse(self, text: str) -> Iterator[Any]:
        import yaml

        # libyaml reads the same language 20 times faster; wheels of PyYAML bring it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            yield from yaml.parse(text, Loader=loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else None
            self._syntax(text, str(error.problem or error.context or "cannot be read"), line)

    def _syntax(self, text: str, problem: str, line: int | None) -> NoReturn:
        source = text.splitlines()[line - 1] if line and line <= len(text.splitlines()) else ""
        if "\t" in source[: len(source) - len(source.lstrip())] or "'\\t'" in problem:
            _refuse("a tab indents this line", "Indent with spaces; YAML does not allow tabs.", self._file, line)
        shown = source.strip()[:80]
        advice = "Check the colon, the quotes and the indentation here and on the line above."
        if shown[:1] in ("@", "`", "%") or re.search(r":\s+[@`%&*!|>]", shown):
            advice = "Put a text that starts with a special character into quotes."
        _refuse(f"not YAML: {problem}" + (f", at {shown!r}" if shown else ""), advice, self._file, line)

    def _no(self, event: Any, message: str, advice: str) -> NoReturn:
        _refuse(message, advice, self._file, _line(event))

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        import yaml

        self._lines.setdefault(path, _line(event))
        if depth > MAX_DEPTH:
            self._no(event, f"nested deeper than {MAX_DEPTH} levels", "Settings are flat: write fewer levels.")
        if isinstance(event, yaml.AliasEvent):
            self._no(event, f"an alias (*{event.anchor})", "Write the value out: aliases are not read.")
        if event.anchor is not None:
            self._no(event, f"an anchor (&{event.anchor})", "Write the value out: anchors are not read.")
        if event.tag is not None:
            self._no(event, f"a tag ({event.tag})", "Leave it out: tags are not read.")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        self._spans[path] = (event.start_mark.index, event.end_mark.index)
        return self._scalar(event) if event.implicit[0] else event.value

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        import yaml

        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._value(event, (*path, "?"), depth + 1)
                self._no(event, "a key that is a list or a mapping", "Write the key as text.")
            if event.anchor is not None or event.tag is not None:
                self._value(event, (*path, "?"), depth + 1)
            key = event.value
            here = (*path, key)
            if key in found:
                first = self._lines[here]
                self._no(event, f"the key {key!r} is there twice (first on line {first})", "Keep one of them.")
            self._lines[here] = _line(event)
            found[key] = self._value(next(self._events), here, depth + 1)
        return found

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        import yaml

        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found)), depth + 1))
        return found

    def _scalar(self, event: Any) -> Any:
        """A plain scalar by the core schema."""
        text: str = event.value
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            base = {"0o": 8, "0x": 16}.get(text[:2], 10)
            return int(text, base)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _INFINITE.fullmatch(text):
            return float(text.replace(".", "").lower())
        return text
