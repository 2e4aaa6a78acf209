"""The files that make the folder a model of MLflow (https://mlflow.org/docs/latest/ml/model/#storage-format).

`mlflow.pyfunc.load_model` takes `serve/` into its imports and asks `mlops_ci_serving.pyfunc` for the model; it needs
nothing of mlops-ci but what lies in the bundle.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from mlops_ci.config.yaml import scalar
from mlops_ci.records.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_ci.records.bundles import Golden, Input, Output, Serving

LOADER = "mlops_ci_serving.pyfunc"
NAMES = ("MLmodel", "requirements.txt", "python_env.yaml", "conda.yaml")
"""What MLflow follows when it opens the folder, or makes an environment for it."""
_VERSION = "3.4.0"
"""The oldest MLflow whose format this is."""
_EXAMPLES = 5
_NAMESPACE = uuid.UUID("5f0f0c5e-6d0e-5c39-9f5e-3f2f1d0c7b1a")
_TYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "long",
    Kind.FLOAT: "double",
    Kind.TEXT: "string",
    Kind.DATE: "datetime",
    Kind.TIMESTAMP: "datetime",
}
_WHEN = re.compile(
    r"^    python_version: ['\"]?(\d+\.\d+)['\"]?$.*^utc_time_created: ['\"]?([0-9T:.+Z -]+?)['\"]?$",
    re.MULTILINE | re.DOTALL,
)
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*==[^\s\\]+)(?:\s*(;[^\\\n]*))?", re.MULTILINE)


def files(serving: Serving, golden: Golden, lock: str, *, python: str, made: str) -> dict[str, bytes]:
    """Path -> content. lock: the requirements with hashes; python: `3.11`; made: ISO 8601, of the commit."""
    rows = [list(row) for row in golden.rows[:_EXAMPLES]]
    example = {"columns": list(golden.columns), "data": rows}
    examples = {"input_example.json": example, "serving_input_example.json": {"dataframe_split": example}}
    return _followed(serving, lock, python, made) | {name: _json(told).encode() for name, told in examples.items()}


def foreign(given: Mapping[str, bytes], serving: Serving, lock: str) -> str:
    """The first file of those MLflow follows that is not as it is written here, or empty: a loader runs code.

    given: NAMES -> content. Which Python it was, and when, is believed.
    """
    said = _WHEN.search(given["MLmodel"].decode("utf-8", "replace"))
    python, made = said.groups() if said else ("", "")
    written = _followed(serving, lock, python, made)
    return next((name for name in NAMES if given[name] != written[name]), "")


def _followed(serving: Serving, lock: str, python: str, made: str) -> dict[str, bytes]:
    environment = f"python: {scalar(python)}\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n"
    texts = (
        _mlmodel(serving, python=python, made=made),
        "\n".join(pins(lock)) + "\n",
        environment,
        _conda(lock, python),
    )
    return {name: text.encode() for name, text in zip(NAMES, texts, strict=True)}


def pins(lock: str) -> list[str]:
    """`name==version`, with its marker where it has one, of every requirement of a lock."""
    return [f"{pin}{f' {marker.strip()}' if marker else ''}" for pin, marker in _PIN.findall(lock)]


def _mlmodel(serving: Serving, *, python: str, made: str) -> str:
    identity = uuid.uuid5(_NAMESPACE, f"{serving.project}\0{serving.commit}")
    lines = [
        "flavors:",
        "  python_function:",
        "    code: serve",
        "    env:",
        "      conda: conda.yaml",
        "      virtualenv: python_env.yaml",
        f"    loader_module: {LOADER}",
        f"    python_version: {scalar(python)}",
        f"mlflow_version: {_VERSION}",
        f"model_uuid: {identity.hex}",
        "saved_input_example_info:",
        "  artifact_path: input_example.json",
        "  pandas_orient: split",
        "  serving_input_path: serving_input_example.json",
        "  type: dataframe",
        "signature:",
        f"  inputs: {scalar(_schema(serving.inputs))}",
        f"  outputs: {scalar(_schema(serving.outputs))}",
        "  params: null",
        f"utc_time_created: {scalar(made)}",
    ]
    return "\n".join(lines) + "\n"


def _schema(columns: Sequence[Input | Output]) -> str:
    return json.dumps([_entry(column) for column in columns], ensure_ascii=False)


def _entry(column: Input | Output) -> dict[str, Any]:
    nullable = getattr(column, "nullable", False)
    # pandas has floats where whole numbers are missing, and MLflow takes no floats for a `long`.
    kind = "double" if nullable and column.kind is Kind.INTEGER else _TYPES[column.kind]
    return {"name": column.name, "required": not nullable, "type": kind}


def _conda(lock: str, python: str) -> str:
    packages = [f"  - {scalar(pin)}" for pin in pins(lock)]
    head = [
        f"name: {scalar('mlops-ci')}",
        "channels:",
        "- conda-forge",
        "dependencies:",
        f"- {scalar(f'python={python}')}",
    ]
    return "\n".join([*head, "- pip", "- pip:", *packages]) + "\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
