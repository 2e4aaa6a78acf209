"""Whether a peer's answers are ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from bench.score.material import Material
from bench.score.ways import Way


def differing(material: Material, way: Way, our: Way) -> int:
    """How many rows `way` gives another label than ours; all of them where rows are missing."""
    theirs, mine = _labels(way.output), _labels(our.output)
    rows = material.rows[way.part]
    return int((theirs != mine).sum()) if len(theirs) == len(mine) == rows else rows


def _labels(path: Path) -> Any:
    if path.suffix == ".json":
        return np.array(json.loads(path.read_bytes())["predictions"])
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT prediction FROM '{path}' ORDER BY patient").fetchnumpy()
    return np.asarray(found["prediction"])
