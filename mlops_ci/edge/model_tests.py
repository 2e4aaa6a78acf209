"""Runs the project's model tests and says what each came to and counted, also when one ends the interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mlops_ci.edge import answers, worker
from mlops_ci.errors import UserCodeError
from mlops_ci.records.behaviours import Behaviour, ModelTest
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result, Where

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.edge.processes import Finished, Limits

_LARGEST_EVENTS = 32 * 1024 * 1024
_NO_TESTS = 5  # pytest.ExitCode.NO_TESTS_COLLECTED
_STATUS = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "skipped": Status.SKIPPED,
    "errored": Status.ERRORED,
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what the worker's pytest plugin writes."""

    event: str
    id: str = ""
    tests: tuple[str, ...] = ()
    outcome: str = ""
    message: str = ""
    details: str = ""
    file: str = ""
    line: int = 0
    seconds: float = 0.0
    known: bool = False
    """Marked as expected to fail."""
    kind: str = ""
    held: int = 0
    of: int = 0
    needed: float = 0.0
    confidence: float = 0.0
    when_undecided: str = ""
    groups: tuple[tuple[int, int, int], ...] | None = None


def run(
    request: dict[str, Any],
    *,
    python: Path,
    workspace: Path,
    scratch: Path,
    limits: Limits,
    secrets: tuple[str, ...] = (),
) -> tuple[ModelTest, ...]:
    """What each test came to and counted, in pytest's order; one skipped Result where there are no tests.

    `request["tests"]` is the folder, relative to `workspace`. A test that could not be judged is errored:
    its module cannot be imported, a fixture fails, the interpreter ended, the time was up. Raises UserCodeError
    when no test could start at all (no pytest, for example).
    """
    if not any((workspace / request["tests"]).rglob("test_*.py")) and not any(
        (workspace / request["tests"]).rglob("*_test.py")
    ):
        return (ModelTest(result=_no_tests(request["tests"])),)
    events_file = scratch / "events.jsonl"
    asked = {**request, "events": str(events_file), "scratch": str(scratch)}
    finished = worker.launch(
        "test", asked, python=python, workspace=workspace, scratch=scratch, limits=limits, secrets=secrets
    )
    events = _events(events_file)
    whole = any(event.event == "finished" for event in events)
    if not whole and not any(event.event == "collected" for event in events):
        raise _not_started(scratch, finished, limits)
    results = _results(events, "" if whole else _why(finished, limits))
    return results or (ModelTest(result=_no_tests(request["tests"])),)


def _no_tests(folder: str) -> Result:
    return Result(
        check="model tests",
        part=Part.TESTS,
        status=Status.SKIPPED,
        message=f"there are no tests in {folder}",
        blocking=False,
    )


def _not_started(scratch: Path, finished: Finished, limits: Limits) -> Exception:
    envelope = answers.envelope(scratch / "answer.json")
    if envelope is not None and envelope.failure is not None:
        return worker.failure(envelope.failure, finished, limits)
    return worker.unanswered("test", finished, limits)


def _why(finished: Finished, limits: Limits) -> str:
    if finished.timed_out:
        return f"the model tests were not done within {limits.seconds:g} s"
    if finished.signal is not None:
        return f"the interpreter was killed by signal {finished.signal}"
    return f"the interpreter ended with code {finished.code}"


def _events(path: Path) -> list[Event]:
    content = answers.regular_file(path, largest=_LARGEST_EVENTS) or b""
    lines = content.split(b"\n")
    # The last line is cut short when the interpreter ended while it was written.
    return [answers.decode(line, Event) for line in lines[:-1] if line]


def _results(events: list[Event], why: str) -> tuple[ModelTest, ...]:
    """`why` is what ended the run before its time, or empty."""
    collected = [name for event in events if event.event == "collected" for name in event.tests]
    broken = [ModelTest(result=_broken(event)) for event in events if event.event == "collection_error"]
    started = {event.id: event for event in events if event.event == "started"}
    ended = {event.id: event for event in events if event.event == "ended"}
    reason = why or "the run was interrupted"
    running = next((name for name in collected if name in started and name not in ended), "")
    results = [
        _tested(ended[name], events)
        if name in ended
        else ModelTest(result=_lost(name, started.get(name), running, reason))
        for name in collected
    ]
    return (*broken, *results)


def _broken(event: Event) -> Result:
    message = f"{_short(event.id)} cannot be imported: {event.message}"
    return Result(
        check=_short(event.id),
        part=Part.TESTS,
        status=Status.ERRORED,
        message=message,
        where=Where(event.id) if event.id else None,
        details=event.details,
    )


def _tested(event: Event, events: list[Event]) -> ModelTest:
    """A test with what it counted. One that is expected to fail is not judged, whatever it counted."""
    result = _ended(event)
    behaviours = tuple(_counted(one) for one in events if one.event == "behaviour" and one.id == event.id)
    if behaviours and event.known and result.status is Status.PASSED:
        return ModelTest(result=msgspec.structs.replace(result, status=Status.SKIPPED, message="expected to fail"))
    return ModelTest(result=result, behaviours=behaviours)


def _counted(event: Event) -> Behaviour:
    """UserCodeError for numbers that are no count: they come from the project's process."""
    groups = event.groups
    whole = groups is None or all(0 <= held <= of and of > 0 and many > 0 for held, of, many in groups)
    if groups is not None and whole:
        sums = (sum(group[part] * group[2] for group in groups) for part in (0, 1))
        whole = tuple(sums) == (event.held, event.of)
    if not whole or not 0 <= event.held <= event.of or not event.of:
        raise UserCodeError(f"a model test counted {event.held} of {event.of}, which is no count")
    if not (0.0 < event.needed < 1.0 and 0.0 < event.confidence < 1.0):
        raise UserCodeError(f"a model test needs {event.needed} at {event.confidence}, and shares lie between 0 and 1")
    return Behaviour(
        kind=event.kind[:40],
        held=event.held,
        of=event.of,
        needed=event.needed,
        confidence=event.confidence,
        when_undecided=event.when_undecided,
        groups=groups,
        where=Where(event.file, event.line or None) if event.file else None,
    )


def _ended(event: Event) -> Result:
    status = _STATUS.get(event.outcome)
    if status is None:
        raise UserCodeError(f"a model test came to {event.outcome!r}, which is no outcome")
    return Result(
        check=_short(event.id),
        part=Part.TESTS,
        status=status,
        message=event.message or event.outcome,
        numbers={"seconds": event.seconds},
        where=Where(event.file, event.line or None),
        details=event.details,
    )


def _lost(name: str, started: Event | None, running: str, reason: str) -> Result:
    if started is not None:
        message = f"{reason} while this test ran"
    else:
        message = f"did not run: {reason}" + (f" in {_short(running)}" if running else "")
    where = Where(started.file, started.line) if started is not None else Where(name.partition("::")[0])
    return Result(check=_short(name), part=Part.TESTS, status=Status.ERRORED, message=message, where=where)


def _short(node: str) -> str:
    """`tests/model/test_late.py::test_rain` -> `test_late.py::test_rain`."""
    path, separator, test = node.partition("::")
    return path.rpartition("/")[2] + separator + test
