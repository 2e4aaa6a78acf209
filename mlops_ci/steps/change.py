"""What a tree changes against its base, sorted into data, parameters, code, environment and judge."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import msgspec

from mlops_ci.config import waivers, yaml
from mlops_ci.config.settings import Config
from mlops_ci.errors import MlopsCiError
from mlops_ci.records.canonical import digest
from mlops_ci.records.decisions import Change, ParamChange
from mlops_ci.steps.trees import Tree

LOCKS = ("requirements.lock", "uv.lock", "requirements.in", "pyproject.toml", ".python-version")
MODEL_TESTS = "tests/model/"
_BESIDE = ("*.md", "docs/*", ".github/*", ".mlops-ci/*", "environments/*", ".gitignore", "LICENSE")
_JUDGE_SETTINGS = ("task", "slices", "metrics", "gates", "champion", "holdout", "checks")
_JUDGE_DATA = ("target", "missing_target", "id", "time", "group", "split", "contract")


def is_judge_file(tree: Tree, path: str) -> bool:
    """Files that decide: the contract, the model tests, the waivers, the modules of the project's own metrics."""
    return _only_judges(tree, path) or path in metric_files(tree)


def metric_files(tree: Tree) -> tuple[str, ...]:
    """The modules that the project's own metrics are in, those that the tree holds. Training may use them too."""
    modules = {metric.function.partition(":")[0].replace(".", "/") for metric in tree.config.metrics.values()}
    names = {f"{module}{end}" for module in modules for end in (".py", "/__init__.py")}
    return tuple(path for path in tree.paths if path in names)


def _only_judges(tree: Tree, path: str) -> bool:
    return path in (tree.config.data.contract, waivers.FILE) or path.startswith(MODEL_TESTS)


def is_prose(path: str) -> bool:
    """What lies beside a project and nothing of it reads: texts, workflows, environments."""
    return any(fnmatch(path, pattern) for pattern in _BESIDE)


def is_source(config: Config, path: str) -> bool:
    return any(fnmatch(path, pattern.partition("#")[0]) for pattern in config.data.sources.values())


def is_read(config: Config, path: str) -> bool:
    """Whether settings name a file, wherever it lies."""
    train = config.train
    named = [config.data.contract, config.data.prepare, *((train.predictions, train.model) if train else ())]
    named += [train.params.partition("#")[0]] if train and train.params else []
    return path in named or is_source(config, path)


def code_paths(tree: Tree) -> tuple[str, ...]:
    """What training may read besides data and parameters: everything that is not data, only judges, or is prose."""
    shared = metric_files(tree)
    return tuple(path for path in tree.paths if path in shared or _kind(tree, path) in ("code", "params"))


def judge_settings(tree: Tree) -> dict[str, object]:
    """The settings that decide, as plain data, for comparing and for digests."""
    config = tree.config
    plain = {key: getattr(config, key) for key in _JUDGE_SETTINGS}
    plain |= {f"data.{key}": getattr(config.data, key) for key in _JUDGE_DATA}
    plain |= {"anchor": config.anchor} if config.anchor else {}
    of_environments = {name: each.gates for name, each in config.environments.items() if each.gates}
    return plain | ({"environments": of_environments} if of_environments else {})


def change(before: Tree | None, after: Tree, changed: tuple[str, ...]) -> Change:
    """Sort the paths that differ between two trees (relative to the project) by what they are."""
    if before is None:
        return Change()
    found: dict[str, list[str]] = {"data": [], "params": [], "code": [], "environment": [], "judge": []}
    for path in sorted(set(changed)):
        for kind in _kinds_of_change(before, after, path):
            found[kind].append(path)
    return Change(
        kinds=tuple(kind for kind, paths in found.items() if paths),
        data=tuple(found["data"]),
        code=tuple(found["code"]),
        environment=tuple(found["environment"]),
        judge=tuple(found["judge"]),
        params=tuple(_param_changes(before, after, found["params"])),
    )


def _kinds_of_change(before: Tree, after: Tree, path: str) -> tuple[str, ...]:
    if path != "mlops.yaml":
        kind = _kind(after, path) or _kind(before, path)
        return (kind,) if kind else ()
    judged = judge_settings(before) != judge_settings(after)
    built = _built(before) != _built(after)
    return ("judge",) * judged + ("code",) * built


def _built(tree: Tree) -> dict[str, object]:
    data = tree.config.data
    return {"sources": data.sources, "prepare": data.prepare, "train": tree.config.train}


def _kind(tree: Tree, path: str) -> str:
    if is_source(tree.config, path):
        return "data"
    if is_judge_file(tree, path):
        return "judge"
    if path in LOCKS:
        return "environment"
    params = tree.config.train.params if tree.config.train else None
    if params and path == params.partition("#")[0]:
        return "params"
    if path == "mlops.yaml" or (is_prose(path) and path != tree.config.data.prepare):
        return ""
    return "code"


def _param_changes(before: Tree, after: Tree, paths: list[str]) -> Iterator[ParamChange]:
    for path in paths:
        old, new = (_flat_params(tree.root / path) for tree in (before, after))
        for key in sorted(old.keys() | new.keys()):
            was, now = old.get(key, _GONE), new.get(key, _GONE)
            if was.text != now.text:
                yield ParamChange(file=path, key=key, before=was.text, after=now.text, line=now.line or msgspec.UNSET)


class _Value(NamedTuple):
    """A parameter as text, and the line of its key."""

    text: str
    line: int | None = None


_GONE = _Value("(none)")


def _flat_params(path: Path) -> dict[str, _Value]:
    """Parameters as `a.b.c -> text`; a file that cannot be read as settings counts as one value."""
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return {}
    try:
        document = yaml.load(text, file=path.name)
    except MlopsCiError:
        return {"(file)": _Value(digest(text)[:12])}
    return dict(_flatten(document, (), document.value))


def _flatten(document: yaml.Document, path: yaml.Path, value: object) -> Iterator[tuple[str, _Value]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flatten(document, (*path, key), item)
    else:
        yield ".".join(map(str, path)), _Value(_text(value), document.where(path).line)


def _text(value: object) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
