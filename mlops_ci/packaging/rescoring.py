"""The judged answers of all held-out rows as golden requests, so that a bundle says itself whether it still gives them.

What is asked are the rows as the signature has them; how far a number may be off is that of the export's comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.packaging import answers, cells
from mlops_ci.records.bundles import Golden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.records.bundles import Serving
    from mlops_ci.records.evaluation import Predictions
    from mlops_ci.records.tables import Table

TOLERANCE = 1e-5
"""Of probabilities; of a number 1e-5 of the largest answer, as float32 has seven digits."""
AT_ONCE = 20_000


def tolerance(judged: Predictions, *, classes: tuple[str, ...]) -> float:
    """How far an answer may be from the judged one."""
    if classes or not len(judged.labels):
        return TOLERANCE
    return TOLERANCE * max(float(np.abs(judged.labels).max()), 1e-30)


def questions(
    features: Table, judged: Predictions, serving: Serving, pattern: Golden, *, classes: tuple[str, ...]
) -> Iterator[Golden]:
    """The rows of `features` with their judged answers, some thousand at once; in the form of `pattern`.

    features: a column for each input of the signature, rows as `judged` has them.
    """
    said = answers.answers(judged, classes, serving.outputs)
    allowed = tolerance(judged, classes=classes)
    columns = {column.name: column for column in features.columns}
    for start in range(0, features.rows, AT_ONCE):
        places = np.arange(start, min(start + AT_ONCE, features.rows))
        asked = [cells.cells(columns[each.name], places) for each in serving.inputs]
        yield Golden(
            version=1,
            columns=tuple(each.name for each in serving.inputs),
            rows=tuple(zip(*asked, strict=True)),
            answers={name: values[start : start + len(places)] for name, values in said.items()},
            tolerance=allowed,
            quantum=pattern.quantum,
            fingerprint=pattern.fingerprint,
        )
