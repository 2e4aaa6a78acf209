"""How the image of each target is asked the golden requests: as its platform would."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mlops_ci.edge.docker import Ended, Engine, Run
from mlops_ci.packaging.image import PLACES
from mlops_ci.steps import golden_answers
from mlops_ci.steps.golden_answers import Told, Unfit, predictions, read
from mlops_ci.steps.smoke_container import SECONDS, Asked, cut, ended, program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_ci.records.bundles import Golden
    from mlops_ci.records.images import Built, Target

_INVOKE = "/2015-03-31/functions/function/invocations"
_RUNTIME_API = 9001
_FIRST_PROCESS = 1


class Trial(NamedTuple):
    """An image, what it has to answer, and the bytes it may use."""

    engine: Engine
    built: Built
    golden: Golden
    memory: int

    def run(self, *command: str, entrypoint: tuple[str, ...] = ()) -> Run:
        """A container of the image."""
        return Run(image=self.built.image, command=command, entrypoint=entrypoint, memory=self.memory)


class Tried(NamedTuple):
    """What it says of itself, and what it answered."""

    told: Told
    answers: Sequence[Mapping[str, Any]]
    seconds: float
    peak_memory: int


class _Gateway(msgspec.Struct, frozen=True, rename="camel"):
    status_code: int
    body: str


class _Scored(msgspec.Struct, frozen=True):
    told: Told = Told()
    answers: tuple[dict[str, Any], ...] = ()
    peak_memory: int = 0
    error: str = ""


def _server(trial: Trial) -> Tried:
    """The bundle's own server: it checks itself, and is asked over HTTP."""
    with trial.engine.running(trial.run("--check")) as container:
        state = container.wait(SECONDS)
    if state.code is None:
        raise Unfit(f"it did not check itself within {SECONDS} s")
    told = _printed(state)
    if told is None:
        raise ended(state, trial.memory, "it does not start")
    if told.error is not None:
        raise Unfit(f"it refuses to serve: {told.error.message}")
    with trial.engine.running(trial.run()) as container:
        asked = Asked(container, PLACES["docker"].port or 0, trial.memory)
        seconds = asked.ready("/ready")
        answers = predictions(asked.answer("/invocations", *_request(trial.golden)))
        return Tried(told, answers, seconds, asked.peak())


def _functions(trial: Trial) -> Tried:
    """The Functions Framework: asked over HTTP."""
    with trial.engine.running(trial.run()) as container:
        asked = Asked(container, PLACES["functions"].port or 0, trial.memory)
        seconds = asked.ready("/ready")
        told = read(asked.answer("/metadata"), Told)
        answers = predictions(asked.answer("/invocations", *_request(trial.golden)))
        return Tried(told, answers, seconds, asked.peak())


def _lambda(trial: Trial) -> Tried:
    """AWS's runtime client: it is given events by a Runtime API that starts what the image starts."""
    around = ("python3", "-c", program("runtime_api"), str(_RUNTIME_API))
    with trial.engine.running(trial.run(*trial.built.program, entrypoint=around)) as container:
        asked = Asked(container, _RUNTIME_API, trial.memory)
        seconds = asked.ready(_INVOKE, _get("/ready"))
        told = read(read(asked.answer(_INVOKE, _get("/metadata")), _Gateway).body, Told)
        answers = predictions(asked.answer(_INVOKE, *_request(trial.golden)))
        return Tried(told, answers, seconds, asked.peak(_FIRST_PROCESS))


def _batch(trial: Trial) -> Tried:
    """A job: from a file to a file, in a container that does nothing else."""
    idle = ("python3", "-c", f"import time; time.sleep({SECONDS})")
    parts = cut(json.dumps({"columns": trial.golden.columns, "rows": trial.golden.rows}))
    with trial.engine.running(trial.run(entrypoint=idle)) as container:
        began = time.monotonic()
        command = (program("score"), str(len(parts)), *parts, *trial.built.program)
        done = container.ask("python3", "-c", *command)
        seconds = time.monotonic() - began
        if done.code != 0:
            raise ended(container.state() if done.code is None else done, trial.memory, "it cannot score a file")
    scored = read(done.output, _Scored)
    if scored.error:
        raise Unfit(f"it does not score the golden rows: {scored.error}")
    return Tried(scored.told, scored.answers, seconds, scored.peak_memory)


WAYS: dict[Target, Callable[[Trial], Tried]] = {
    "docker": _server,
    "lambda": _lambda,
    "functions": _functions,
    "batch": _batch,
}


def _request(golden: Golden) -> list[str]:
    return cut(golden_answers.request(golden))


def _get(path: str) -> str:
    """The event of a gateway that asks for a path."""
    http = {"method": "GET", "path": path}
    return json.dumps({"version": "2.0", "rawPath": path, "requestContext": {"http": http}})


def _printed(state: Ended) -> Told | None:
    """The answer among the last lines, of which libraries may have printed some."""
    for line in reversed(state.output.splitlines()):
        try:
            return msgspec.json.decode(line, type=Told)
        except msgspec.MsgspecError:
            continue
    return None
