"""Bundles to serve, made as packaging makes them: real estimators, converted, with golden answers and a manifest."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlops_ci.records.canonical import canonical_json
from mlops_ci.serving import described, golden
from mlops_ci.serving.bundle import Bundle

RUNTIME = Path(__file__).parents[1] / "mlops_ci" / "serving"

QUANTUM = 1e-3


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """The bundle of these files in `folder`, with the runtime beside them and a manifest over all."""
    folder.mkdir(parents=True)
    shutil.copytree(
        RUNTIME, folder / "serve" / "mlops_ci_serving", ignore=shutil.ignore_patterns("__pycache__", "requirements.*")
    )
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return sealed(folder)


def sealed(folder: Path) -> Path:
    """Write the manifest anew, over whatever lies in `folder` now."""
    (folder / "manifest.json").unlink(missing_ok=True)
    found = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in found
    }
    (folder / "manifest.json").write_bytes(canonical_json({"version": 1, "files": files}))
    return folder


def opened(files: dict[str, bytes]) -> Bundle:
    """The bundle of these files without a folder."""
    serving = described.decoded(files["serving.json"], described.Serving, "serving.json")
    answers = described.decoded(files["golden.json"], described.Golden, "golden.json")
    described.check(serving, answers)
    return Bundle("sha256:" + "0" * 64, serving, answers, files[serving.model.file])


@cache
def fitted(inverse_strength: float = 1.0) -> tuple[pd.DataFrame, Any]:
    """Thirty numbers, and the logistic regression of `binary`; another strength of regularization is another model."""
    table = load_breast_cancer(as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=inverse_strength, max_iter=1000))
    return table.data, model.fit(table.data, table.target == 1)


@cache
def binary(inverse_strength: float = 1.0) -> dict[str, bytes]:
    """Thirty numbers, a logistic regression: classes false and true, in one float tensor."""
    frame, model = fitted(inverse_strength)
    names = list(frame.columns)
    serving = {
        "project": "breast-cancer",
        "task": "binary",
        "inputs": [{"name": name, "kind": "float"} for name in names],
        "ids": ["patient"],
        "private": ["mean radius", "patient"],
        "outputs": [{"name": "prediction", "kind": "boolean"}, *_probabilities(["false", "true"])],
        "classes": ["false", "true"],
        "onnx": {
            "feeds": [{"name": "X", "columns": names, "type": "float32"}],
            "label": "label",
            "scores": "probabilities",
        },
    }
    converted = _onnx(model, [("X", FloatTensorType([None, len(names)]))])
    return _files(serving, frame.iloc[::40], converted, model)


@cache
def multiclass() -> dict[str, bytes]:
    """Text, a boolean, numbers with missing values: one ONNX input a column."""
    random = np.random.default_rng(7)
    size = 400
    frame = pd.DataFrame(
        {
            "carrier": random.choice(["AA", "B6", "UA"], size),
            "hour": random.integers(0, 24, size),
            "distance": random.gamma(2, 300, size).round(1),
            "remark": random.choice(["late", "", "snow"], size),
        }
    )
    target = np.where(frame.hour > 16, "late", np.where(frame.carrier == "AA", "early", "on time"))
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = [("texts", encoder, ["carrier", "remark"]), ("numbers", StandardScaler(), ["hour", "distance"])]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression(max_iter=1000)).fit(frame, target)
    types = {name: StringTensorType if name in ("carrier", "remark") else FloatTensorType for name in frame}
    classes = sorted(set(target.tolist()))
    serving = {
        "project": "flights",
        "release": "v12",
        "task": "multiclass",
        "inputs": [
            {"name": "carrier", "kind": "text", "categories": ["AA", "B6", "UA"]},
            {"name": "hour", "kind": "integer", "minimum": 0, "maximum": 23},
            {"name": "distance", "kind": "float", "minimum": 0},
            {"name": "remark", "kind": "text", "nullable": True},
        ],
        "ids": ["flight"],
        "outputs": [{"name": "prediction", "kind": "text"}, *_probabilities(classes)],
        "classes": classes,
        "onnx": {
            "feeds": [
                {"name": name, "columns": [name], "type": "string" if each is StringTensorType else "float32"}
                for name, each in types.items()
            ],
            "label": "label",
            "scores": "probabilities",
        },
    }
    converted = _onnx(model, [(name, each([None, 1])) for name, each in types.items()])
    rows = frame.iloc[:12].replace({"remark": {"": None}})
    return _files(serving, rows, converted, model, asked=frame.iloc[:12])


@cache
def regression(slope: float = 3.0) -> dict[str, bytes]:
    """Two numbers, a straight line: one output."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame({"area": random.gamma(3, 30, 200), "rooms": random.integers(1, 8, 200)})
    model = LinearRegression().fit(frame, slope * frame.area + 20 * frame.rooms + random.normal(0, 5, 200))
    serving = {
        "project": "rents",
        "task": "regression",
        "inputs": [{"name": "area", "kind": "float"}, {"name": "rooms", "kind": "integer"}],
        "outputs": [{"name": "prediction", "kind": "float"}],
        "classes": [],
        "onnx": {"feeds": [{"name": "X", "columns": ["area", "rooms"], "type": "float32"}], "label": "variable"},
    }
    return _files(serving, frame.iloc[:10], _onnx(model, [("X", FloatTensorType([None, 2]))]), model)


@cache
def kept() -> dict[str, bytes]:
    """A pipeline kept by pickle: text, integers and booleans with missing values, a date that it is not asked about."""
    random = np.random.default_rng(7)
    size = 300
    frame = pd.DataFrame(
        {
            "carrier": pd.Series(random.choice(["AA", "B6", "UA", None], size)),
            "hour": np.where(random.random(size) < 0.1, np.nan, random.integers(0, 24, size)),
            "distance": random.gamma(2, 300, size).round(1),
            "weekend": random.random(size) < 0.3,
            "day": pd.Series(pd.date_range("2024-01-01", periods=size)).astype("datetime64[s]"),
        }
    )
    target = (frame.hour > 14) | (frame.carrier == "UA")
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = [
        ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
        ("numbers", numbers, ["hour", "distance", "weekend"]),
    ]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression(max_iter=1000)).fit(frame, target)
    serving = {
        "project": "delays",
        "task": "binary",
        "model": {"file": "model.pkl", "format": "pickle"},
        "inputs": [
            {"name": "carrier", "kind": "text", "nullable": True},
            {"name": "hour", "kind": "integer", "nullable": True},
            {"name": "distance", "kind": "float"},
            {"name": "weekend", "kind": "boolean"},
            {"name": "day", "kind": "date"},
        ],
        "outputs": [{"name": "prediction", "kind": "boolean"}, *_probabilities(["false", "true"])],
        "classes": ["false", "true"],
    }
    rows = frame.iloc[:20].assign(
        hour=[None if np.isnan(hour) else int(hour) for hour in frame.hour[:20]],
        day=frame.day[:20].dt.strftime("%Y-%m-%d"),
    )
    files = _files(serving, rows, pickle.dumps(model), model, asked=frame.iloc[:20])
    return {"model.pkl": files.pop("model.onnx"), **files}


def _probabilities(classes: list[str]) -> list[dict[str, str]]:
    return [{"name": f"probability_{name}", "kind": "float"} for name in classes]


def _onnx(model: Any, inputs: list[tuple[str, Any]]) -> bytes:
    options = {"zipmap": False} if hasattr(model, "predict_proba") else None
    return bytes(skl2onnx.to_onnx(model, initial_types=inputs, options=options).SerializeToString())


def _files(
    serving: dict[str, Any], rows: pd.DataFrame, converted: bytes, model: Any, *, asked: pd.DataFrame | None = None
) -> dict[str, bytes]:
    """serving.json, golden.json with what `model` itself answers for `rows`, and the converted model."""
    asked = rows if asked is None else asked
    answers: dict[str, list[Any]] = {"prediction": model.predict(asked).tolist()}
    if serving["classes"]:
        scores = model.predict_proba(asked)
        answers |= {f"probability_{name}": scores[:, place].tolist() for place, name in enumerate(serving["classes"])}
    cells = rows.astype(object).where(rows.notna(), None)
    described = {
        "version": 1,
        "columns": list(rows.columns),
        "rows": [list(row) for row in cells.itertuples(index=False)],
        "answers": answers,
        "tolerance": 1e-5
        * max(1.0, *(abs(one) for values in answers.values() for one in values if type(one) is float)),
        "quantum": QUANTUM,
        "fingerprint": golden.fingerprint(answers, QUANTUM),
    }
    serving = {"version": 1, "commit": "0" * 40, "model": {"file": "model.onnx", "format": "onnx"}, **serving}
    return {
        "model.onnx": converted,
        "serving.json": canonical_json(serving),
        "golden.json": canonical_json(described),
    }
