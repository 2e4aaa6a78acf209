"""What a runtime is asked the golden requests with, and whether it holds the bundle and answers as the judged model.

It is asked over HTTP, in a container or wherever it runs: what it says is read as the little it may say, and no more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from mlops_ci.packaging.golden import unlike
from mlops_ci.records.bundles import Cell, Golden
from mlops_ci.reports import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHA256 = "sha256:"
_SHOWN = 200
_T = TypeVar("_T")


class Unfit(Exception):  # noqa: N818 - not an error: the answer is no
    """Why it is not good enough."""


class Expected(NamedTuple):
    """The bundle that should be there: its digest, 64 hex digits, and what it answers."""

    digest: str
    golden: Golden


class Problem(msgspec.Struct, frozen=True):
    """What the runtime says instead of an answer."""

    message: str


class Told(msgspec.Struct, frozen=True):
    """What it says of itself for `--check` and under `/metadata`, or an error."""

    project: str = ""
    release: str = ""
    digest: str = ""
    fingerprint: str = ""
    error: Problem | None = None


class _Predictions(msgspec.Struct, frozen=True):
    predictions: tuple[dict[str, Cell], ...] = ()
    error: Problem | None = None


def request(golden: Golden) -> str:
    """The golden requests as `/invocations` takes them, ASCII."""
    return json.dumps({"dataframe_split": {"columns": golden.columns, "data": golden.rows}})


def predictions(said: str | bytes) -> tuple[dict[str, Cell], ...]:
    """A row each of what `/invocations` answered; Unfit where it refuses or answers something else."""
    found = read(said, _Predictions)
    if found.error is not None:
        raise Unfit(f"it refuses the golden requests: {found.error.message[:_SHOWN]}")
    return found.predictions


def held(expected: Expected, told: Told) -> None:
    """Unfit where it says that it holds another bundle."""
    if (there := told.digest.removeprefix(_SHA256)) != expected.digest:
        other = numbers.short(there) or "one without a digest"
        raise Unfit(f"it holds another bundle: {other}, not {numbers.short(expected.digest)}")


def agreed(expected: Expected, told: Told, answers: Sequence[Mapping[str, object]]) -> str:
    """The fingerprint of what was answered; Unfit where it is not what the judged model answers."""
    held(expected, told)
    if words := unlike(expected.golden, answers):
        raise Unfit(words)
    judged = expected.golden.fingerprint
    if told.fingerprint and told.fingerprint != judged:  # a job that scores files tells none
        behaves = numbers.short(told.fingerprint)
        raise Unfit(f"its answers had another fingerprint when it started: {behaves}, not {numbers.short(judged)}")
    return judged


def read(said: str | bytes, kind: type[_T]) -> _T:
    """What was said as JSON; Unfit where it has another form."""
    try:
        return msgspec.json.decode(said, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        raise Unfit(f"its answer cannot be read: {error}: {text[:_SHOWN]}") from None
