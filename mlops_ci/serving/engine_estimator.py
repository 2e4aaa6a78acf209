"""An estimator of scikit-learn's ways, kept by skops or by pickle: asked with a DataFrame."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .described import Serving
from .errors import BundleError
from .labels import labelled


def estimator_engine(
    content: bytes, serving: Serving, code: Path | None = None
) -> Callable[[Sequence[Sequence[Any]]], list[list[Any]]]:
    """Rows in the order of the inputs -> columns in the order of the outputs. Raises BundleError.

    code: where the modules of the project lie that the model imports.
    """
    from .frames import frame  # pandas, which other formats do without

    bring(code)
    # A pickle runs what it says: only a bundle that was released as one gets there.
    read = _from_skops if serving.model.format == "skops" else _from_pickle
    try:
        model = read(content, serving)
        places = places_of(model.classes_, serving) if len(serving.outputs) > 1 else []
    except (ImportError, AttributeError) as error:
        raise BundleError(f"{serving.model.file}: it cannot be opened here: {error}") from None
    label = labelled(serving)

    def ask(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        asked = frame(serving.inputs, rows)
        answers = [label(model.predict(asked).reshape(-1).tolist())]
        if places:
            answers += placed(model.predict_proba(asked), places)
        return answers

    return ask


def _from_pickle(content: bytes, serving: Serving) -> Any:  # noqa: ARG001 - as skops
    return pickle.loads(content)  # noqa: S301


def _from_skops(content: bytes, serving: Serving) -> Any:
    """Only skops' own types and those that serving.json trusts are made; its manifest vouches for the list."""
    import skops.io

    untrusted = sorted(set(skops.io.get_untrusted_types(data=content)) - set(serving.model.trusted))
    if untrusted:
        raise BundleError(f"{serving.model.file}: holds {', '.join(untrusted)}, which serving.json does not trust")
    return skops.io.loads(content, trusted=list(serving.model.trusted))


def bring(code: Path | None) -> None:
    """Take the project's own modules into the imports."""
    sys.dont_write_bytecode = True  # a bundle holds what its manifest lists, and nothing else
    if code is not None:
        sys.path.insert(0, str(code))


def places_of(classes: Any, serving: Serving) -> list[int]:
    """For each class of the answer its place among the model's own; -1 where the model does not know it."""
    known = [_class_text(value) for value in classes.tolist()]
    return [known.index(name) if name in known else -1 for name in serving.classes]


def placed(scores: Any, places: list[int]) -> list[list[float]]:
    """Probabilities of shape [rows, the model's classes] as columns, one a class of the answer."""
    return [[0.0] * len(scores) if place < 0 else scores[:, place].tolist() for place in places]


def _class_text(value: Any) -> str:
    """The text form of a class (docs/worker.md)."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
