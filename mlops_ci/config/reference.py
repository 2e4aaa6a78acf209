"""docs/settings.md, made from the keys; `mlops-ci config --reference` prints it and a test compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_ci.config.catalog import keys
from mlops_ci.config.yaml import scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """# Settings: mlops.yaml

Made by `mlops-ci config --reference`; change `mlops_ci/config/settings.py` instead.

* All of it is checked before anything runs, with file, line, key, what was found and what is allowed.
* It is YAML 1.2 without tags, anchors and aliases: `off` and `no` are text, a repeated key is an error, keys are text.
* Paths are relative to the folder of mlops.yaml and stay in it (`watch` may leave it).
* Several projects in one repository: any folder with an mlops.yaml, beside each other. One inside another is an error.
* A key marked *not yet* is understood and refused where it would promise something that is not computed.

| key | what it is for | allowed | default |
|---|---|---|---|
"""


def markdown() -> str:
    """The settings reference as Markdown."""
    rows = []
    for key in keys():
        default = "**required**" if key.default is None else f"`{key.default}`" if key.default else ""
        cells = (f"`{key.name}`", key.description, key.allowed, default)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return _HEAD + "".join(rows)


def lines(settings: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Effective settings as YAML, one line for each value."""
    for key, value in settings.items():
        name = f"{indent}{scalar(key)}:"
        if isinstance(value, dict) and value:
            yield name
            yield from lines(value, f"{indent}  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield name
            for item in value:
                yield f"{indent}  - {_flow(item)}"
        else:
            yield f"{name} {_flow(value)}"


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str) and value:
        return scalar(value)
    return "null" if value in (None, "") else str(value).lower()
