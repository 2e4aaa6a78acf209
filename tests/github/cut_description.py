"""Cut out of GitHub's OpenAPI description what the routes of the fake need.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
    python -m tests.github.cut_description package/generated/api.github.com.json

The whole package has 400 MB. What is left out: other operations, schemas they alone use, descriptions, and all but one
example of each answer. Nothing else is changed.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from tests.github.contract import CUT, ROOT
from tests.github.routes import ROUTES


def main() -> None:
    whole = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    paths: dict[str, Any] = {}
    for route in ROUTES:
        template = f"{ROOT}{route.template}"
        operation = _without_prose(whole["paths"][template][route.method.lower()])
        paths.setdefault(template, {})[route.method.lower()] = _with_one_example(operation)
    cut: dict[str, Any] = {key: whole[key] for key in ("openapi", "info")} | {"paths": paths, "components": {}}
    _add_components(cut, whole)
    text = json.dumps(cut, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    CUT.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(ROUTES)} operations, {len(text):,} bytes, {CUT.stat().st_size:,} packed")


def _with_one_example(operation: Any) -> Any:
    for answer in operation["responses"].values():
        for content in answer.get("content", {}).values():
            if "examples" in content:
                name, example = next(iter(content["examples"].items()))
                content["examples"] = {name: example}
    if "requestBody" in operation:
        for content in operation["requestBody"]["content"].values():
            content.pop("examples", None)
    return operation


def _add_components(cut: dict[str, Any], whole: dict[str, Any]) -> None:
    waiting = list(_references(cut["paths"]))
    while waiting:
        _, _, kind, name = waiting.pop().split("/")
        there = cut["components"].setdefault(kind, {})
        if name not in there:
            part = whole["components"][kind][name]
            there[name] = part if kind == "examples" else _without_prose(part)
            waiting += _references(there[name])


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for value in node.values() for each in _references(value)]
    return [each for value in node for each in _references(value)] if isinstance(node, list) else []


def _without_prose(node: Any, *, names: bool = False) -> Any:
    """Without descriptions; `names`: the keys are names of properties, and `description` is one of them."""
    if isinstance(node, dict):
        prose = () if names else ("description", "summary", "externalDocs", "x-github", "x-octokit", "tags", "example")
        return {
            key: _without_prose(value, names=key == "properties" and not names)
            for key, value in node.items()
            if key not in prose
        }
    return [_without_prose(each) for each in node] if isinstance(node, list) else node


if __name__ == "__main__":
    main()
