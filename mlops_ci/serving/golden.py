"""Asks the model the golden requests: what is served has to be what was judged."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from .described import Golden
from .engine import Engine
from .errors import BundleError, Refused
from .validate import Signature, Table

_FARTHEST = 2.0**53  # whole multiples: what lies farther has no canonical JSON form


def answered(golden: Golden, signature: Signature, engine: Engine, outputs: list[str]) -> str:
    """The fingerprint of the answers to the golden rows. Raises BundleError where one is not the judged one."""
    try:
        answers = engine(signature.checked(Table(tuple(golden.columns), golden.rows)).rows)
    except Refused as error:
        raise BundleError(f"golden.json: {error.where}: {error.message}") from None
    except Exception as error:  # noqa: BLE001 - the model is anybody's code
        raise BundleError(f"golden.json: the model raised {type(error).__name__}: {str(error)[:500]}") from None
    found = dict(zip(outputs, answers, strict=True))
    for name, values in found.items():
        for row, (value, judged) in enumerate(zip(values, golden.answers[name], strict=True)):
            if not _same(value, judged, golden.tolerance):
                raise BundleError(
                    f"golden.json: row {row}: the model answers {name} {value!r}; when it was judged {judged!r}"
                    f" (a difference of {golden.tolerance} is allowed)"
                )
    return fingerprint(found, golden.quantum)


def fingerprint(answers: dict[str, list[Any]], quantum: float) -> str:
    """sha256 of the canonical JSON (RFC 8785) of the answers by output, floats as whole multiples of `quantum`."""
    text = ",".join(
        f"{_text(name)}:[{','.join(_text(_rounded(value, quantum)) for value in answers[name])}]"
        for name in sorted(answers, key=lambda name: name.encode("utf-16-be"))
    )
    return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()


def _same(value: Any, judged: Any, tolerance: float) -> bool:
    if type(value) is float and type(judged) in (int, float):
        return bool(abs(value - judged) <= tolerance)
    return type(value) is type(judged) and bool(value == judged)


def _rounded(value: Any, quantum: float) -> Any:
    return round(max(-_FARTHEST, min(_FARTHEST, value / quantum))) if type(value) is float else value


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
