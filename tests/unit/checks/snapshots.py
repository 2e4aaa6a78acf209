"""Tables and facts by hand, for tests of checks, contract, drift and difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlops_ci.checks import BaseFacts, DataFacts, data_checks
from mlops_ci.data.profile import profile
from mlops_ci.records.evaluation import Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Result
from mlops_ci.records.tables import Column, Kind, Table


def column(name: str, values: Sequence[Any] | np.ndarray) -> Column:
    """None, NaN and NaT are missing; the kind follows the values."""
    if not isinstance(values, np.ndarray) or values.dtype.kind in "OU":
        values = np.array(values, dtype=object)
        missing = np.array([value is None for value in values], dtype=bool)
        known = [value for value in values if value is not None]
        if known and all(isinstance(value, str) for value in known):
            return _text(name, values, missing)
        if missing.any():
            filler = False if known and isinstance(known[0], bool) else 0
            plain = np.array([filler if value is None else value for value in values])
            return _plain(name, plain, missing)
        values = np.array(known)
    if values.dtype.kind == "f":
        return _plain(name, values, np.isnan(values))
    if values.dtype.kind == "M":
        return _plain(name, values, np.isnat(values))
    return _plain(name, values, np.zeros(len(values), dtype=bool))


def _text(name: str, values: np.ndarray, missing: np.ndarray) -> Column:
    categories, codes = np.unique(values[~missing].astype(str), return_inverse=True)
    full = np.full(len(values), -1, dtype=np.int32)
    full[~missing] = codes
    mask = missing if missing.any() else None
    return Column(name=name, kind=Kind.TEXT, values=full, missing=mask, categories=tuple(map(str, categories)))


def _plain(name: str, values: np.ndarray, missing: np.ndarray) -> Column:
    kind, dtype = {
        "b": (Kind.BOOLEAN, "bool"),
        "i": (Kind.INTEGER, "int64"),
        "u": (Kind.INTEGER, "int64"),
        "f": (Kind.FLOAT, "float64"),
        "M": (Kind.TIMESTAMP, "datetime64[us]"),
    }[values.dtype.kind]
    return Column(name=name, kind=kind, values=values.astype(dtype), missing=missing if missing.any() else None)


def table(**columns: Any) -> Table:
    made = tuple(column(name, values) for name, values in columns.items())
    return Table(rows=len(made[0].values) if made else 0, columns=made)


def people(seed: int, rows: int = 4000) -> dict[str, Any]:
    """Like the census table `adult`: numbers, text, a little missing, and a class that they predict somewhat."""
    random = np.random.default_rng(seed)
    age = random.integers(17, 91, rows)
    hours = np.clip(random.normal(40, 12, rows).round(), 1, 99).astype(np.int64)
    schooling = random.choice(["primary", "secondary", "college", "masters"], rows, p=[0.2, 0.45, 0.25, 0.1])
    job = random.choice([f"job {n:02d}" for n in range(14)], rows)
    country = random.choice([f"land {n:02d}" for n in range(41)], rows, p=np.r_[0.9, np.full(40, 0.1 / 40)])
    weight = np.exp(random.normal(12, 0.5, rows))
    score = 0.04 * (age - 40) + 0.05 * (hours - 40) + 1.2 * (schooling == "masters") - 1.2
    rich = random.random(rows) < 1 / (1 + np.exp(-score))
    weight[random.random(rows) < 0.02] = np.nan
    return {
        "id": np.arange(rows) + 1000,
        "age": age,
        "hours": hours,
        "schooling": schooling,
        "job": job,
        "country": country,
        "weight": weight,
        "rich": rich,
    }


def ids(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**63, rows, dtype=np.uint64)


def facts(columns: dict[str, Any] | Table, target: str = "rich", **given: Any) -> DataFacts:
    """Facts with a random third held out, unless `given` says otherwise."""
    snapshot = columns if isinstance(columns, Table) else table(**columns)
    plain = {
        "table": snapshot,
        "holdout": np.random.default_rng(5).random(snapshot.rows) < 1 / 3,
        "ids": ids(snapshot.rows),
        "profile": profile(snapshot),
        "task": Task.BINARY,
        "target": target,
    }
    return DataFacts(**{**plain, **given})


def base_of(snapshot: Table, shares: tuple[tuple[str, float], ...] = ()) -> BaseFacts:
    return BaseFacts(profile=profile(snapshot), rows=snapshot.rows, target_shares=shares)


def failures(results: Sequence[Result]) -> list[str]:
    """`check column` of what failed; blocking ones end in `!`."""
    return [
        f"{result.check} {result.column or ''}".strip() + ("!" if result.blocking else "")
        for result in results
        if result.status in (Status.FAILED, Status.ERRORED)
    ]


def failed_checks(given: DataFacts) -> list[str]:
    return failures(data_checks(given))


__all__ = ["base_of", "column", "facts", "failed_checks", "failures", "ids", "people", "table"]
