"""One row of numbers: tensors bound to the session once, so that asking neither takes memory nor gives it back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np


class Tensor(NamedTuple):
    """An input of the graph: what takes its values out of a row, their dtype and how many they are."""

    name: str
    pick: Callable[[Sequence[Any]], Sequence[Any]]
    dtype: Any
    width: int


def by_column(found: Sequence[Any]) -> list[Any]:
    """Views of what the graph gives: labels [rows], and where there are any scores [classes, rows]."""
    return [found[0].reshape(-1), *(each.T for each in found[1:])]


class OneRow(threading.local):
    """`ask` asks about one row; each thread has one, with tensors of its own."""

    def __init__(self, session: Any, inputs: Sequence[Tensor], outputs: Sequence[str]) -> None:
        """Called by the first question of each thread (`threading.local`)."""
        self.ask = _Bound(session, inputs, outputs)


class _Bound:
    """Called with a row, it gives the outputs by column, as arrays which are good until the next question."""

    def __init__(self, session: Any, inputs: Sequence[Tensor], outputs: Sequence[str]) -> None:
        self._session = session
        self._run = session.run_with_iobinding
        self._outputs = outputs
        self._tensors = {each.name: np.zeros((1, each.width), each.dtype) for each in inputs}
        self._filled = [(each.pick, self._tensors[each.name][0]) for each in inputs]
        self._binding: Any = None
        self._found: list[Any] = []

    def __call__(self, row: Sequence[Any]) -> list[Any]:
        """Of which shape the outputs are the first question tells."""
        for pick, values in self._filled:
            values[:] = pick(row)
        if self._binding is None:
            self._bind()
        self._run(self._binding)
        return self._found

    def _bind(self) -> None:
        from onnxruntime import OrtValue

        outputs = [np.empty_like(found) for found in self._session.run(self._outputs, self._tensors)]
        self._found = by_column(outputs)
        self._binding = self._session.io_binding()
        for name, tensor in self._tensors.items():
            self._binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(tensor))
        for name, output in zip(self._outputs, outputs, strict=True):
            self._binding.bind_ortvalue_output(name, OrtValue.ortvalue_from_numpy(output))
