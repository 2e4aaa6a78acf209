"""The description of the HTTP interface, made from the signature: OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import VERSION
from .columns import LARGEST_FLOAT, LARGEST_INTEGER
from .described import Input, Output, Serving
from .tensors import DATATYPES, UNDERSTOOD

_Schema = dict[str, Any]
_NO_NUL = r"^[^\u0000]*$"
_TYPES: Mapping[str, _Schema] = {
    "integer": {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER},
    "float": {"type": "number", "minimum": -LARGEST_FLOAT, "maximum": LARGEST_FLOAT},
    "text": {"type": "string", "pattern": _NO_NUL},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_ANY_CELL = {"type": ["string", "number", "boolean", "null"]}
_REFUSED = {
    "400": "The request does not fit the signature: the message names row, column and what is allowed.",
    "401": "A bearer token is needed.",
    "408": "The request did not arrive whole in time.",
    "413": "Too many rows or bytes.",
    "415": "Another content type or encoding.",
    "500": "The model failed.",
    "503": "The prediction log is required and cannot be written.",
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "where"],
            "properties": {name: {"type": "string"} for name in ("code", "message", "where")},
        }
    },
}
_ERROR_TEXT = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def document(serving: Serving, version: str, most_rows: int) -> dict[str, Any]:
    """Paths and schemas of one model; at most `most_rows` rows a request."""
    rows = {"minItems": 1, "maxItems": most_rows}
    model = f"/v2/models/{serving.project}"
    infer = _asked(_json(_infer(serving)), _json(_tensors(serving.outputs)), _ERROR_TEXT)
    paths: dict[str, Any] = {
        "/invocations": _asked(_json(_forms(serving, rows)), _json(_answer(serving)), _ERROR),
        "/health": _read("Whether the process lives."),
        "/ready": _read("Whether requests should come here.", "503"),
        "/metadata": _read("What is served."),
        "/metrics": _read("Counts, for Prometheus.", content="text/plain"),
        "/openapi.json": _read("This document."),
        "/v2": _read("The server, as the Open Inference Protocol describes it."),
        "/v2/health/live": _read("Whether the process lives."),
        "/v2/health/ready": _read("Whether requests should come here.", "503"),
    }
    for base in (model, f"{model}/versions/{version}"):
        paths[base] = _read("The model, as the Open Inference Protocol describes it.")
        paths[f"{base}/ready"] = _read("Whether requests should come here.", "503")
        paths[f"{base}/infer"] = infer
    described = {"title": serving.project, "version": version, "x-runtime": VERSION}
    return {"openapi": "3.1.0", "info": described, "paths": paths}


def _read(words: str, *further: str, content: str = "application/json") -> dict[str, Any]:
    body = {content: {"schema": {"type": "object"} if content == "application/json" else {"type": "string"}}}
    answers = {status: {"description": words, "content": body} for status in ("200", *further)}
    return {"get": {"summary": words, "responses": answers | _refused(("401",), {})}}


def _asked(body: _Schema, answer: _Schema, error: _Schema) -> dict[str, Any]:
    answers = {"200": {"description": "The answer for every row.", "content": answer}}
    asked = {"required": True, "content": body}
    return {
        "post": {"summary": "Ask the model.", "requestBody": asked, "responses": answers | _refused(_REFUSED, error)}
    }


def _refused(statuses: Mapping[str, str] | Sequence[str], error: _Schema) -> dict[str, Any]:
    return {status: {"description": _REFUSED[status], "content": _json(error)} for status in statuses}


def _json(schema: _Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _column(column: Input) -> _Schema:
    """The values of a column. Limits of dates have no word in JSON Schema."""
    schema = dict(_TYPES[column.kind])
    if isinstance(column.minimum, int | float):
        schema["minimum"] = column.minimum
    if isinstance(column.maximum, int | float):
        schema["maximum"] = column.maximum
    if column.categories is not None:
        schema = {"enum": [*column.categories, *([None] if column.nullable else [])]}
    elif column.nullable:
        schema["type"] = [schema["type"], "null"]
    return schema


def _forms(serving: Serving, rows: _Schema) -> _Schema:
    """The four forms of JSON; the order of columns in them is free, and given as in the signature."""
    columns = {each.name: _column(each) for each in serving.inputs}
    width = len(columns)
    row = {
        "type": "object",
        "required": list(columns),
        "properties": columns | dict.fromkeys(serving.ids, _ANY_CELL),
        "additionalProperties": False,
    }
    values = {"type": "array", "prefixItems": list(columns.values()), "items": False, "minItems": width}
    names = {"type": "array", "prefixItems": [{"const": name} for name in columns], "items": False, "minItems": width}
    by_name = {"type": "array", "items": row, **rows}
    in_order = {"type": "array", "items": values, **rows}
    split = {
        "type": "object",
        "required": ["columns", "data"],
        "properties": {"columns": names, "data": in_order},
        "additionalProperties": False,
    }
    forms = {
        "dataframe_split": split,
        "dataframe_records": by_name,
        "instances": {"anyOf": [by_name, in_order]},
        "inputs": {"anyOf": [by_name, in_order]},
    }
    words = "Or text/csv: a line of names, a line for each row, nothing between commas where a value is missing."
    return {"oneOf": [_only(name, schema) for name, schema in forms.items()], "description": words}


def _only(name: str, schema: _Schema) -> _Schema:
    return {"type": "object", "required": [name], "properties": {name: schema}, "additionalProperties": False}


def _answer(serving: Serving) -> _Schema:
    outputs = {each.name: {"type": _TYPES[each.kind]["type"]} for each in serving.outputs}
    row = {"type": "object", "required": list(outputs), "properties": outputs, "additionalProperties": False}
    return _only("predictions", {"type": "array", "items": row})


def _infer(serving: Serving) -> _Schema:
    """One tensor a column. That all have as many values as their shape says has no word in JSON Schema."""
    tensors = []
    for each in serving.inputs:
        data = {"type": "array", "items": _column(each), "minItems": 1, "maxItems": 1}
        tensors.append(_tensor(each.name, sorted(UNDERSTOOD[each.kind]), data, {"const": [1]}))
    inputs = {"type": "array", "prefixItems": tensors, "items": False, "minItems": len(tensors)}
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "inputs": inputs,
            "id": {"type": ["string", "null"]},
            "parameters": {"type": ["object", "null"]},
        },
        "description": "Shown for one row; any number of rows has the shape [rows] or [rows, 1].",
    }


def _tensors(outputs: Sequence[Output]) -> _Schema:
    tensors = [
        _tensor(
            each.name,
            [DATATYPES[each.kind]],
            {"type": "array", "items": {"type": _TYPES[each.kind]["type"]}},
            {"type": "array", "items": {"type": "integer"}},
        )
        for each in outputs
    ]
    fields: _Schema = {name: {"type": "string"} for name in ("model_name", "model_version", "id")}
    fields["outputs"] = {"type": "array", "items": {"anyOf": tensors}}
    return {"type": "object", "required": ["model_name", "outputs"], "properties": fields}


def _tensor(name: str, datatypes: list[str], data: _Schema, shape: _Schema) -> _Schema:
    properties = {"name": {"const": name}, "datatype": {"enum": datatypes}, "shape": shape, "data": data}
    return {"type": "object", "required": list(properties), "properties": properties}
