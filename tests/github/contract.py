"""GitHub's own description of its API: what a request and an answer have to look like."""

from __future__ import annotations

import copy
import functools
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

CUT = Path(__file__).parent / "openapi.json.gz"
ROOT = "/repos/{owner}/{repo}"


@functools.cache
def description() -> dict[str, Any]:
    """The part of the description that is used, its schemas as JSON Schema.

    It lacks that the repository a commit came from can be null: the fork is deleted.
    """
    found: dict[str, Any] = _as_json_schema(json.loads(gzip.decompress(CUT.read_bytes())))
    schemas = found["components"]["schemas"]
    for holder, name in (
        # https://github.com/github/rest-api-description/issues/1586
        (schemas["workflow-run"], "head_repository"),
        # https://github.com/github/rest-api-description/issues/1811
        (schemas["pull-request"]["properties"]["head"], "repo"),
        (schemas["pull-request-simple"]["properties"]["head"], "repo"),
    ):
        holder["properties"][name] = {"anyOf": [{"type": "null"}, holder["properties"][name]]}
    return found


def request_problems(
    method: str, template: str, *, path: Mapping[str, str], query: Mapping[str, str], body: object
) -> list[str]:
    """What GitHub would not understand of a request; `body`: bytes for a file, None where there is none."""
    operation = description()["paths"][ROOT + template][method.lower()]
    problems: list[str] = []
    parameters = {(each["in"], each["name"]): each for each in map(_resolved, operation.get("parameters", []))}
    for place, values in (("path", path), ("query", query)):
        for name, value in values.items():
            if (place, name) in parameters:
                schema = parameters[place, name]["schema"]
                problems += _problems(_typed(value, schema), schema, f"{place} {name}")
            else:
                problems.append(f"{place} {name}: no such parameter")
    problems += [
        f"{place} {name}: is missing"
        for (place, name), each in parameters.items()
        if each.get("required") and name not in (path if place == "path" else query)
    ]
    if "requestBody" in operation:
        forms = operation["requestBody"]["content"]
        if "application/json" in forms:
            problems += _problems(body, forms["application/json"]["schema"], "body")
        elif not isinstance(body, bytes):
            problems.append(f"body: is sent as {' or '.join(forms)}")
    elif body is not None:
        problems.append("body: there must be none")
    return problems


def answer_problems(method: str, template: str, status: int, body: object) -> list[str]:
    """Where an answer is not of the form GitHub documents."""
    answers = description()["paths"][ROOT + template][method.lower()]["responses"]
    if str(status) not in answers:
        return [f"status {status} is not documented"] if status < 400 else []
    content = _resolved(answers[str(status)]).get("content", {})
    if "application/json" not in content:
        return [] if body is None else ["answer: there must be no body"]
    return _problems(body, content["application/json"]["schema"], "answer")


def example(method: str, template: str) -> Any:
    """GitHub's example of a good answer, to be filled with what is true."""
    answers = description()["paths"][ROOT + template][method.lower()]["responses"]
    good = next(answer for status, answer in answers.items() if status.startswith("2"))
    [shown] = good["content"]["application/json"]["examples"].values()
    return copy.deepcopy(_resolved(shown)["value"])


def _problems(value: object, schema: Any, where: str) -> list[str]:
    found = _validator().evolve(schema=schema).iter_errors(value)
    return [f"{where}{each.json_path[1:]}: {each.message[:200]}" for each in found]


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    """A validator for parts of the description, which finds what they refer to in the whole of it."""
    return jsonschema.Draft202012Validator(description())


def _resolved(node: Any) -> Any:
    if "$ref" not in node:
        return node
    _, kind, name = node["$ref"].removeprefix("#/").split("/")
    return _resolved(description()["components"][kind][name])


def _typed(value: str, schema: Any) -> object:
    """A parameter as the value it stands for."""
    if _resolved(schema).get("type") == "integer" and value.isdecimal():
        return int(value)
    return value


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0's `nullable: true` as JSON Schema says it."""
    if isinstance(node, list):
        return [_as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _as_json_schema(value) for key, value in node.items()}
    if plain.pop("nullable", None) is not True:
        return plain
    return {"anyOf": [{"type": "null"}, plain]}
