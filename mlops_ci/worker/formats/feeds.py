"""What an ONNX model is handed: which columns make which input, of which type, and how a table becomes that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

TEXT = "string"
TABLE = "X"
_NUMBERS = ("integer", "float", "boolean")


@dataclass(frozen=True)
class Feed:
    """One input: shape (rows, columns). `type`: float32, float64 or string; booleans are 0 and 1, missing is NaN."""

    name: str
    columns: list[str]
    type: str

    def fields(self) -> dict[str, Any]:
        """As serving.json has it."""
        return {"name": self.name, "columns": self.columns, "type": self.type}

    def array(self, frame: Any, missing_text: str) -> Any:
        """The input for the rows of a DataFrame; a tensor of text has no place for what is missing."""
        columns = [self._column(frame[name], missing_text) for name in self.columns]
        return np.column_stack(columns)

    def _column(self, series: Any, missing_text: str) -> Any:
        if self.type == TEXT:
            return series.astype(object).where(series.notna(), missing_text).to_numpy(dtype=object)
        return series.to_numpy(dtype=np.float64, na_value=np.nan).astype(self.type)


def unfit(model: Any, kinds: dict[str, str]) -> str:
    """Why columns of these kinds cannot be handed over, or empty. kinds: column -> kind.

    A model that picks its columns may pick none of those.
    """
    times = [name for name, kind in kinds.items() if not _fits(kind)]
    return f"{', '.join(map(repr, times[:5]))}: ONNX has no dates and timestamps" if times and not _picks(model) else ""


def _fits(kind: str) -> bool:
    return kind in (*_NUMBERS, "text")


def one_table(model: Any, kinds: dict[str, str]) -> bool:
    """Whether all columns can be one input: numbers only, and nothing in the model picks its columns."""
    return all(kind in _NUMBERS for kind in kinds.values()) and not _picks(model)


def feeds(kinds: dict[str, str], *, number: str, table: bool) -> list[Feed]:
    """The inputs; number: float32 or float64; table: one for all columns, else one each."""
    if table:
        return [Feed(TABLE, list(kinds), number)]
    return [Feed(name, [name], TEXT if kind == "text" else number) for name, kind in kinds.items() if _fits(kind)]


def _picks(model: Any) -> bool:
    return any(type(part).__name__ == "ColumnTransformer" for part in [model, *parts(model, deep=True)])


def _public(model: Any) -> list[Any]:
    """What an estimator has inside for itself alone, as histogram gradient boosting encodes categories, is left out."""
    return [value for name, value in getattr(model, "__dict__", {}).items() if not name.startswith("_")]


def parts(model: Any, *, deep: bool = False) -> list[Any]:
    """The estimators right inside one, as it was fitted and as it was made; deep: those inside them too."""
    found: list[Any] = []
    pending = _public(model)
    for value in pending:
        if isinstance(value, (list, tuple)):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif hasattr(value, "get_params") and hasattr(value, "fit") and not any(value is other for other in found):
            found.append(value)
            if deep:
                pending.extend(_public(value))
    return found
