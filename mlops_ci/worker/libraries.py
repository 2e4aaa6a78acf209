"""The job `libraries`: what a model imports to be opened and to answer, and what that needs in turn."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from pathlib import Path
from typing import Any

from . import fit

_ROWS = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r";.*\bextra\b")
_LONGEST = 200


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Asks: model, features, task, classes, target, id as the job `predict`, of which the first rows are asked.

    Answers `libraries` {name: {version, expression, licence}}, those that were imported and what they require, and
    `code`, the files of the project that were imported.
    """
    fit.need_pandas("the model")
    from . import answers, frames, models, tables

    model = models.load(request["model"], task=request["task"])
    frame = tables.select(
        frames.read(Path(request["features"])), model, target=request["target"], ids=request["id"]
    ).iloc[:_ROWS]
    if len(frame):
        answers.ask(model, frame, task=request["task"], classes=request["classes"])
    loaded = {os.path.realpath(file) for module in list(sys.modules.values()) for file in _file(module)}
    distributions = ((_said(each, "Name"), each) for each in importlib.metadata.distributions())
    installed = {_plain(name): each for name, each in distributions if name}
    found = [name for name, each in installed.items() if _has_one(each, loaded)]
    return {
        "libraries": {name: _about(installed[name]) for name in sorted(_with_required(found, installed))},
        "code": _own(loaded),
    }


def _file(module: Any) -> list[str]:
    file = getattr(module, "__file__", None)
    return [file] if isinstance(file, str) else []


def _said(distribution: Any, field: str) -> str:
    """What its metadata say; the package importlib_metadata, once imported, raises for what they do not."""
    metadata = distribution.metadata
    return str(metadata[field] or "").strip() if field in metadata else ""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _has_one(distribution: Any, loaded: set[str]) -> bool:
    root = os.path.realpath(distribution.locate_file(""))
    return any(os.path.join(root, str(file)) in loaded for file in distribution.files or ())  # noqa: PTH118 - many


def _with_required(found: list[str], installed: dict[str, Any]) -> set[str]:
    """And what they say they require, as far as it is installed; extras nobody asked for are left out."""
    names: set[str] = set()
    while found:
        name = found.pop()
        if name in names or name not in installed:
            continue
        names.add(name)
        required = [text for text in installed[name].requires or () if not _EXTRA.search(text)]
        found += [_plain(match[0]) for text in required if (match := _NAME.match(text))]
    return names


def _about(distribution: Any) -> dict[str, str]:
    written = _said(distribution, "License")
    named = distribution.metadata.get_all("Classifier") or ()
    listed = [text.rpartition("::")[2].strip() for text in named if "License ::" in text]
    return {
        "version": distribution.version,
        "expression": _said(distribution, "License-Expression")[:_LONGEST],
        # Some write the whole text of their licence there.
        "licence": written if written and "\n" not in written and len(written) < _LONGEST else ", ".join(listed),
    }


def _own(loaded: set[str]) -> list[str]:
    """The files below the working directory, which is a copy of the project."""
    root = Path(os.path.realpath("."))
    return sorted(Path(file).relative_to(root).as_posix() for file in loaded if Path(file).is_relative_to(root))
