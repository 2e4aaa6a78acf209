"""What a request costs a bundle's own server, where a gate asks: processor time, which a busy machine moves least."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mlops_ci.edge import runtime, timed_server
from mlops_ci.errors import OutsideError
from mlops_ci.records.decisions import Absence, FactNote
from mlops_ci.records.due import Cost
from mlops_ci.records.outcomes import Status
from mlops_ci.reports import numbers
from mlops_ci.steps.golden_answers import request

if TYPE_CHECKING:
    from mlops_ci.records.decisions import Decision
    from mlops_ci.steps.bundle import Bundle
    from mlops_ci.steps.progress import Clock

FACT = "cpu_per_request"
_LIMITS = timed_server.Limits()
_FEWEST = 100


def asked_by(passed: Decision) -> bool:
    """Whether one of the gates that passed the model names it."""
    return any(FACT in one.gate for one in passed.numbered_gates)


def not_loaded(format_: str) -> Cost:
    """Where the bundle is not to be loaded."""
    told = f"{FACT} is measured where the bundle is loaded; {format_} runs code then, and is not loaded here"
    return _lacking(told)


def measure(bundle: Bundle, clock: Clock) -> Cost:
    """Start the bundle's server on this machine and ask it golden requests of one row, one after the other."""
    if not timed_server.can_count():
        return _lacking(f"{FACT} is counted on Linux alone")
    python = runtime.python_for(bundle.folder, lambda text: clock.say("request", text))
    golden = bundle.golden
    bodies = [request(msgspec.structs.replace(golden, rows=(row,))).encode() for row in golden.rows]
    with clock.step("request", "asking the bundle's own server") as line:
        try:
            times = timed_server.ask(bundle.folder, python, bodies, _LIMITS)
        except OutsideError as error:
            line.found = error.message
            return _lacking(f"{FACT} could not be measured: {error.message}")
        if len(times.wall) < _FEWEST:
            line.found = f"{len(times.wall)} requests in {_LIMITS.seconds:g} s"
            return _lacking(f"{FACT} needs {_FEWEST} requests, and only {line.found} were answered")
        each = times.cpu / len(times.wall)
        line.found = f"{_milliseconds(each)} of processor time each"
    slowest = float(np.quantile(times.wall, 0.99, method="higher"))
    told = (
        f"One golden row a request took the bundle's own server {_milliseconds(each)} of processor time, on average of "
        f"{numbers.count(len(times.wall))}; by the clock, which the machine's other work moves, 99 % took at most "
        f"{numbers.duration(slowest)}"
    )
    # Nine digits: the order of a floating sum must not show in a decision's id.
    return Cost(facts={FACT: float(f"{each:.9g}")}, notes={FACT: FactNote(unit="s", told=told)})


def _lacking(reason: str) -> Cost:
    return Cost(missing={FACT: Absence(status=Status.UNDECIDED, reason=reason)})


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
