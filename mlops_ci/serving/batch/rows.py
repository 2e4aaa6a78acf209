"""Asks the model about one batch of a file: at a glance where that tells, else row by row."""

from __future__ import annotations

import traceback
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import ArrayModel
from ..engine import not_finite
from ..engine_onnx import OnnxEngine
from ..errors import Refused
from ..model import Model
from ..validate import Table, by_column
from . import files


class Scored(NamedTuple):
    """The rows of a batch that were answered, their answers by output, and what was wrong with the others, by row."""

    batch: Any
    answers: list[Any]
    bad: dict[int, Refused]


class Scorer:
    """Asks about batches; several threads may where it is `parallel`."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._inputs = model.serving.inputs
        self._outputs = model.serving.outputs
        self.outputs = model.outputs
        ask = model.engine.ask
        self._arrays = ArrayModel(model, ask) if isinstance(ask, OnnxEngine) else None
        self.parallel = self._arrays is not None  # what an estimator does meanwhile is its own affair

    def score(self, batch: Any, *, text: bool) -> Scored:
        """The answers for a batch that has all inputs. Raises Refused where the model fails."""
        try:
            answers = self._at_a_glance(batch, text=text)
            found = self._row_by_row(batch, text=text) if answers is None else Scored(batch, answers, {})
        except Refused:
            raise
        except Exception:  # noqa: BLE001 - the model is anybody's code
            traceback.print_exc()
            raise Refused("model_failed", "the model failed; above is how") from None
        return self._finite(found)

    def _at_a_glance(self, batch: Any, *, text: bool) -> list[Any] | None:
        """None where that does not tell."""
        if self._arrays is None:
            return None
        columns = []
        for each in self._inputs:
            column = files.array(batch.column(each.name), each, text=text)
            if column is None:
                return None
            columns.append(column)
        checked = self._arrays.checked(columns)
        return None if checked is None else self._arrays.ask(checked)

    def _row_by_row(self, batch: Any, *, text: bool) -> Scored:
        table = self._table(batch, text=text)
        bad = self._model.signature.problems(table)
        if bad:
            batch = _without(bad, batch)
            table = self._table(batch, text=text)
        if not batch.num_rows:
            return Scored(batch, [[] for _ in self._outputs], bad)
        return Scored(batch, self._model.engine.ask(self._model.signature.checked(table).rows), bad)

    def _table(self, batch: Any, *, text: bool) -> Table:
        return by_column({each.name: files.cells(batch.column(each.name), each, text=text) for each in self._inputs})

    def _finite(self, scored: Scored) -> Scored:
        """Typed, and without the rows for which the model has no number."""
        batch, answers, bad = scored
        rows = np.delete(np.arange(batch.num_rows + len(bad)), list(bad))
        nowhere: dict[int, Refused] = {}
        for output, values in zip(self._outputs, answers, strict=True):
            if output.kind == "float":
                for place in np.flatnonzero(~np.isfinite(values)).tolist():
                    nowhere.setdefault(place, not_finite(output, int(rows[place])))
        columns = [files.typed(values, output.kind) for output, values in zip(self._outputs, answers, strict=True)]
        if not nowhere:
            return Scored(batch, columns, bad)
        found = {int(rows[place]): refused for place, refused in nowhere.items()}
        return Scored(_without(nowhere, batch), [_without(nowhere, column) for column in columns], bad | found)


def _without(rows: dict[int, Refused], of: Any) -> Any:
    kept = np.ones(len(of) if isinstance(of, pa.Array) else of.num_rows, dtype=np.bool_)
    kept[list(rows)] = False
    return of.filter(pa.array(kept))
