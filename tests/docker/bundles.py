"""Small bundles to make images of: the form of docs/bundle.md, a straight line as the model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mlops_ci.records.canonical import canonical_json

HERE = Path(__file__).parent
QUANTUM = 1e-4
ROWS = [[0.0], [1.5], [-4.0]]


def make(folder: Path, *, slope: float = 2.0, served: float | None = None, **files: bytes) -> Path:
    """A bundle whose judged model is `slope` * x + 1; `served`: the slope that the model in it has instead."""
    answers = [slope * row[0] + 1 for row in ROWS]
    said = json.dumps({"prediction": [round(value / QUANTUM) for value in answers]}, separators=(",", ":"))
    golden = {
        "version": 1,
        "columns": ["x"],
        "rows": ROWS,
        "answers": {"prediction": answers},
        "tolerance": 1e-5,
        "quantum": QUANTUM,
        "fingerprint": hashlib.sha256(said.encode()).hexdigest(),
    }
    serving = {"version": 1, "project": "lines", "task": "regression", "commit": "c0ffee" + 34 * "0"}
    runtime = "serve/mlops_ci_serving"
    contents = {
        "model.onnx": canonical_json({"slope": slope if served is None else served, "offset": 1.0}),
        "golden.json": canonical_json(golden),
        "serving.json": canonical_json(serving),
        "requirements.lock": (HERE / "requirements.lock").read_bytes(),
        f"{runtime}/__init__.py": b"",
        f"{runtime}/__main__.py": (HERE / "stand_in.py").read_bytes(),
        **files,
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    listed = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in contents.items()
    }
    (folder / "manifest.json").write_bytes(canonical_json({"version": 1, "files": listed}))
    return folder
