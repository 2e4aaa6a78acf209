"""The rows to score, as Parquet and as CSV, and one model in the forms that are asked about them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import NamedTuple

import duckdb

from tests import serving_bundles

_FEW = 3


class Material(NamedTuple):
    """`bundle` serves what is pickled in `model`. `rows`: how many, by the name of a file."""

    folder: Path
    bundle: Path
    model: Path
    rows: dict[str, int]

    def file(self, part: str, ending: str) -> Path:
        """rows, tenth and few have the id `patient`; inputs has the columns of the model alone."""
        return self.folder / f"{part}.{ending}"


def write(folder: Path, rows: int) -> Material:
    """A logistic regression of thirty numbers, and `rows` rows that none of them repeat."""
    frame, model = serving_bundles.fitted()
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    lock = {"requirements.lock": (serving_bundles.RUNTIME / "requirements.lock").read_bytes()}
    bundle = serving_bundles.write(folder / "bundle", serving_bundles.binary() | lock)
    counts = {"rows": rows, "tenth": rows // 10, "inputs": rows, "few": _FEW}
    material = Material(folder, bundle, folder / "model.pkl", counts)
    names = ", ".join(f'"{name}" * f AS "{name}"' for name in frame.columns)
    source = f"'{material.file('rows', 'parquet')}'"
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.execute(
            f"COPY (SELECT row_number() OVER () AS patient, {names} FROM (SELECT *, 0.9 + 0.2 * random() AS f"
            f" FROM frame, range({-(-rows // len(frame))})) LIMIT {rows}) TO {source}"
        )
        for part in ("tenth", "few"):
            connection.execute(f"COPY (FROM {source} LIMIT {counts[part]}) TO '{material.file(part, 'parquet')}'")
            connection.execute(f"COPY (FROM {source} LIMIT {counts[part]}) TO '{material.file(part, 'csv')}'")
        connection.execute(f"COPY (FROM {source}) TO '{material.file('rows', 'csv')}'")
        columns = "SELECT * EXCLUDE patient"
        connection.execute(f"COPY ({columns} FROM {source}) TO '{material.file('inputs', 'csv')}'")
    return material
