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
    "503": "Too many large requests are on their way, or the prediction log is required and cannot be written.",
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
_TOKEN = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}


def document(serving: Serving, version: str, most_rows: int, *, secured: bool) -> dict[str, Any]:
    """Paths and schemas of one model; at most `most_rows` rows a request. `secured`: a token is asked for."""
    rows = {"minItems": 1, "maxItems": most_rows}
    model = f"/v2/models/{serving.project}"
    infer = _asked(_json(_infer(serving)), _json(_tensors(serving.outputs)), _ERROR_TEXT)
    alive = _open("Whether the process lives.", _object(status={"const": "alive"}))
    ready = _open("Whether requests should come here.", _object(ready=_boolean()), "503")
    text = {"text/plain": {"schema": {"type": "string"}}}
    paths: dict[str, Any] = {
        "/invocations": _asked(_json(_forms(serving, rows)), _json(_answer(serving)), _ERROR),
        "/health": alive,
        "/ping": alive,
        "/version": _read("The version of the runtime.", text),
        "/ready": ready,
        "/metadata": _read("What is served.", _json(_metadata())),
        "/metrics": _read("Counts, for Prometheus.", text),
        "/openapi.json": _read("This document.", _json({"type": "object", "required": ["openapi", "info", "paths"]})),
        "/v2": _read("The server, as the Open Inference Protocol describes it.", _json(_server()), _ERROR_TEXT),
        "/v2/health/live": _open("Whether the process lives.", _object(live={"const": True})),
        "/v2/health/ready": ready,
    }
    for base in (model, f"{model}/versions/{version}"):
        words = "The model, as the Open Inference Protocol describes it."
        paths[base] = _read(words, _json(_described(serving, version)), _ERROR_TEXT)
        known = {"const": serving.project}
        paths[f"{base}/ready"] = _open(
            "Whether requests should come here.", _object(name=known, ready=_boolean()), "503"
        )
        paths[f"{base}/infer"] = infer
    described = {"title": serving.project, "version": version, "x-runtime": VERSION}
    found: dict[str, Any] = {"openapi": "3.1.0", "info": described, "paths": paths}
    return found | {"security": [{"token": []}], "components": _TOKEN} if secured else found


def _open(words: str, schema: _Schema, *further: str) -> dict[str, Any]:
    """What orchestrators read, who have no token."""
    answers = {status: {"description": words, "content": _json(schema)} for status in ("200", *further)}
    return {"get": {"summary": words, "responses": answers, "security": []}}


def _read(words: str, content: _Schema, error: _Schema = _ERROR) -> dict[str, Any]:
    answers = {"200": {"description": words, "content": content}}
    return {"get": {"summary": words, "responses": answers | _refused(("401",), error)}}


def _asked(body: _Schema, answer: _Schema, error: _Schema) -> dict[str, Any]:
    answers = {"200": {"description": "The answer for every row.", "content": answer}}
    asked = {"required": True, "content": body}
    return {
        "post": {"summary": "Ask the model.", "requestBody": asked, "responses": answers | _refused(_REFUSED, error)}
    }


def _object(**properties: _Schema) -> _Schema:
    """These keys, and no others."""
    required = list(properties)
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _boolean() -> _Schema:
    return {"type": "boolean"}


def _metadata() -> _Schema:
    texts = ("project", "release", "digest", "fingerprint", "commit", "task", "format")
    inputs = {"type": "object", "required": list(Input.__struct_fields__)}
    outputs = {"type": "object", "required": list(Output.__struct_fields__)}
    return _object(
        **{name: {"type": "string"} for name in texts},
        **{name: {"type": "array", "items": {"type": "string"}} for name in ("ids", "classes")},
        inputs={"type": "array", "items": inputs},
        outputs={"type": "array", "items": outputs},
    )


def _server() -> _Schema:
    texts = {"type": "array", "items": {"type": "string"}}
    return _object(name={"const": "mlops-ci"}, version={"const": VERSION}, extensions=texts)


def _described(serving: Serving, version: str) -> _Schema:
    tensor = _object(
        name={"type": "string"},
        datatype={"enum": sorted(set(DATATYPES.values()))},
        shape={"type": "array", "items": {"type": "integer"}},
    )
    tensors = {"type": "array", "items": tensor}
    return _object(
        name={"const": serving.project},
        versions={"const": [version]},
        platform={"type": "string"},
        inputs=tensors,
        outputs=tensors,
    )


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
