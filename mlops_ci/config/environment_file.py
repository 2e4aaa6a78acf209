"""environments/NAME.yaml: which release belongs there; read, and changed with its comments kept."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from mlops_ci.config.convert import described, mapping, refuse
from mlops_ci.config.yaml import Document, Path, load, scalar
from mlops_ci.errors import ConfigError
from mlops_ci.records.environments import EnvironmentFile, Quarantined, ReleaseRef

FOLDER = "environments"
_EXAMPLE = """release: v3
bundle: 3f0c… (64 hex digits)
decision: 9a41… (64 hex digits)
"""
_KEYS = ("release", "bundle", "image", "decision")
_TOP = (*_KEYS, "quarantine")
_ENTRY = ("bundle", "release", "reason", "by")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FORMS = {
    "release": (re.compile(r"v[1-9]\d{0,8}"), "a release such as v3"),
    "bundle": (_DIGEST, "the digest of a bundle, 64 hex digits"),
    "image": (re.compile(r"[a-z0-9][a-z0-9._:/-]{0,254}@sha256:[0-9a-f]{64}"), "an image by its digest"),
    "decision": (_DIGEST, "the id of a decision, 64 hex digits"),
    "reason": (re.compile(r"[^\x00-\x1f\x7f]{1,1000}"), "one line of text"),
    "by": (re.compile(r"[^\x00-\x1f\x7f]{1,200}"), "one line of text"),
}
_HAND = "Only `mlops-ci promote` and `mlops-ci rollback` write it: restore it from git, and run them."


def path(name: str) -> str:
    """The file of an environment, from the project's folder."""
    return f"{FOLDER}/{name}.yaml"


def is_line(reason: str) -> bool:
    """Whether a reason can stand in the quarantine."""
    return _FORMS["reason"][0].fullmatch(reason) is not None and reason.strip() != ""


def parse(text: str, *, file: str) -> EnvironmentFile:
    """ConfigError with file, line and key where it is none. Without anything but remarks nothing runs there yet."""
    if not _says_something(text):
        return EnvironmentFile()
    document = load(text, file=file, example=_EXAMPLE)
    top = mapping(document, document.value, (), _TOP)
    listed = top.get("quarantine") or []
    if not isinstance(listed, list):
        refuse(document, ("quarantine",), f"found {described(listed)}", f"Allowed: a list. {_HAND}")
    entries = tuple(_entry(document, item, ("quarantine", place)) for place, item in enumerate(listed))
    if not any(key in top for key in _KEYS):
        return EnvironmentFile(quarantine=entries)
    told = {key: _value(document, top, (), key) for key in _KEYS if key != "image" or "image" in top}
    decision = told.pop("decision")
    return EnvironmentFile(runs=ReleaseRef(**told), decision=decision, quarantine=entries)


def line(text: str, key: str, *, file: str) -> int | None:
    """Where a key stands; None where it does not."""
    return _lines(text, file).get((key,))


def written(text: str | None, runs: ReleaseRef, decision: str, quarantined: Quarantined | None, *, file: str) -> str:
    """`text` (None: there is no file yet) with another release in it, and an entry more in its quarantine.

    Comments, order and other entries stay as they are. ConfigError where the file cannot be used, or is written so
    that nothing can be put in.
    """
    before = parse(text or "", file=file)
    kept = tuple(one for one in before.quarantine if quarantined is None or one.bundle != quarantined.bundle)
    entries = (*before.quarantine, quarantined) if quarantined and kept == before.quarantine else before.quarantine
    expected = EnvironmentFile(runs=runs, decision=decision, quarantine=entries)
    made = _with_keys(
        text or "", {"release": runs.release, "bundle": runs.bundle, "image": runs.image} | {"decision": decision}, file
    )
    if entries != before.quarantine and quarantined:
        made = _with_entry(made, quarantined, file)
    try:
        found = parse(made, file=file)
    except ConfigError:
        found = EnvironmentFile()
    if found != expected:
        advice = "Write one key a line, `quarantine:` as a list with an entry a line, and run it again."
        raise ConfigError("nothing can be put into it as it is written", advice, where=file)
    return made


def _with_keys(text: str, values: dict[str, str], file: str) -> str:
    """Each key on its line with a remark behind it kept; a key that is not there follows the one before it."""
    for place, (key, value) in enumerate(values.items()):
        lines = text.splitlines(keepends=True)
        at = _lines(text, file)
        if (key,) in at:
            start = at[key,] - 1
            remark = re.search(r"\s+#.*", lines[start].rstrip("\n"))
            lines[start : start + 1] = [f"{key}: {scalar(value)}{remark.group() if remark else ''}\n"] if value else []
        elif value:
            before = [at[name,] for name in list(values)[:place] if (name,) in at]
            start = max(before, default=_head(lines))
            lines.insert(start, f"{key}: {scalar(value)}\n")
        text = "".join(lines)
    return text


def _with_entry(text: str, entry: Quarantined, file: str) -> str:
    made = [f"{key}: {scalar(getattr(entry, key))}\n" for key in _ENTRY]
    at = _lines(text, file)
    ended = text if text.endswith("\n") else f"{text}\n"
    if ("quarantine",) not in at:
        return f"{ended}quarantine:\n  - {'    '.join(made)}"
    lines = ended.splitlines(keepends=True)
    listed = sorted(line - 1 for path, line in at.items() if len(path) == 2)
    indent = len(lines[listed[0]]) - len(lines[listed[0]].lstrip()) if listed else 2
    tops = [line - 1 for path, line in at.items() if len(path) == 1]
    last = max(listed, default=at["quarantine",] - 1)
    end = next((after for first, after in pairwise(sorted([*tops, *listed, len(lines)])) if first == last), len(lines))
    while end > last + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    lines.insert(end, " " * indent + "- " + (" " * (indent + 2)).join(made))
    return "".join(lines)


def _lines(text: str, file: str) -> dict[Path, int]:
    """Where each part stands."""
    return load(text, file=file).lines if _says_something(text) else {}


def _says_something(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _head(lines: list[str]) -> int:
    """Behind the remarks a file begins with."""
    return next((at for at, line in enumerate(lines) if not line.lstrip().startswith("#")), len(lines))


def _entry(document: Document, item: Any, at: Path) -> Quarantined:
    found = mapping(document, item, at, _ENTRY)
    return Quarantined(**{key: _value(document, found, at, key) for key in _ENTRY})


def _value(document: Document, found: dict[str, Any], at: Path, key: str) -> str:
    form, words = _FORMS[key]
    value = found.get(key)
    here = (*at, key)
    if key not in found:
        refuse(document, at, f"{key} is missing", _HAND)
    if not isinstance(value, str) or not form.fullmatch(value):
        refuse(document, here, f"found {described(value)}", f"Allowed: {words}. {_HAND}")
    return value
