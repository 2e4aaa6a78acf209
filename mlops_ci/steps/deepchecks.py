"""The deepchecks suites, beside the other steps: started when what they look at is there, awaited at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mlops_ci.edge import deepchecks
from mlops_ci.errors import OutsideError, UserCodeError
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.steps.case import Case
from mlops_ci.steps.decide import Found
from mlops_ci.steps.deepchecks_parts import Conditions, Question, ask, of_data, of_model
from mlops_ci.steps.deepchecks_results import not_run, results
from mlops_ci.steps.progress import Clock


class Suites:
    """The suites of one check. Without deepchecks in mlops.yaml every method does nothing."""

    def __init__(self, case: Case, clock: Clock, pool: ThreadPoolExecutor, stop: Path) -> None:
        self._case = case
        self._clock = clock
        self._pool = pool
        self._stop = stop
        self._asked: list[tuple[Question, Future[Conditions]]] = []
        self._mode = case.rules.config.checks.deepchecks
        self._lacking: OutsideError | None = None
        self._python = self._install() if self._mode != "off" else None

    def look_at_data(self, found: Found) -> None:
        """Start the suites of the data."""
        if found.data is not None and self._python is not None and self._case.asked.only != "model":
            self._ask(self._python, of_data(self._case, found.data))

    def look_at_model(self, found: Found) -> None:
        """Start what can be asked of a model's answers on the held-out rows."""
        if found.data is not None and found.model is not None and self._python is not None:
            self._ask(self._python, of_model(self._case, found.data, found.model.predictions))

    def add_to(self, found: Found) -> Found:
        """Await what was started, and add a Result for each check."""
        if self._lacking is not None:
            return _with(found, (self._could_not_run(Part.DATA, self._lacking),), finished=False)
        if not self._asked:
            return found
        with self._clock.step("suites", "waiting for deepchecks") as line:
            answers = [self._answer(question, future) for question, future in self._asked]
            added = tuple(result for told, _ in answers for result in told)
            passed = sum(result.status is Status.PASSED for result in added)
            line.found = f"{passed} of {len(added)} deepchecks passed" + ("" if self._blocking else ", advisory")
        return _with(found, added, finished=all(finished for _, finished in answers))

    @property
    def _blocking(self) -> bool:
        return self._mode == "gate"

    def _install(self) -> Path | None:
        try:
            return deepchecks.install(lambda text: self._clock.note(f"{'suites':<9} {text}"))
        except OutsideError as error:
            self._lacking = error
            return None

    def _ask(self, python: Path, question: Question | None) -> None:
        if question is not None:
            self._asked.append((question, self._pool.submit(ask, self._case, question, python, self._stop)))

    def _answer(self, question: Question, future: Future[Conditions]) -> tuple[tuple[Result, ...], bool]:
        try:
            conditions = future.result()
        except OutsideError as error:
            return (self._could_not_run(question.part, error),), False
        except UserCodeError as error:
            result = not_run(
                error.message, part=question.part, status=Status.ERRORED, blocking=self._blocking, details=error.details
            )
            return (result,), False
        return results(conditions, part=question.part, counts=question.counts, blocking=self._blocking), True

    def _could_not_run(self, part: Part, error: OutsideError) -> Result:
        status = Status.ERRORED if self._blocking else Status.SKIPPED
        return not_run(
            "deepchecks could not be run on this machine",
            part=part,
            status=status,
            blocking=self._blocking,
            details=str(error),
        )


@contextmanager
def beside(case: Case, clock: Clock) -> Iterator[Suites]:
    """The suites of a check; what still runs when the block is left is ended."""
    with tempfile.TemporaryDirectory(prefix="mlops-ci-") as folder, ThreadPoolExecutor(max_workers=2) as pool:
        stop = Path(folder) / "stop"
        try:
            yield Suites(case, clock, pool, stop)
        finally:
            stop.touch()
            pool.shutdown(cancel_futures=True)


def _with(found: Found, added: tuple[Result, ...], *, finished: bool) -> Found:
    return msgspec.structs.replace(found, results=(*found.results, *added), unfinished=found.unfinished or not finished)
