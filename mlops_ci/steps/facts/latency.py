"""How long a model takes to answer one row: by the clock, and in processor time beside the champion's."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import msgspec
import numpy as np

from mlops_ci.edge import files, frames
from mlops_ci.edge.answers import Timed
from mlops_ci.errors import MlopsCiError, UserCodeError
from mlops_ci.records.decisions import Absence
from mlops_ci.records.outcomes import Status
from mlops_ci.reports import numbers
from mlops_ci.steps.cache import Cache
from mlops_ci.steps.champion import Asker, champion_model
from mlops_ci.steps.facts.material import NO_MODEL, SEED, Answer, Material, Number, errored, sample, skipped
from mlops_ci.steps.predict import reads_of, request

_ROWS = 200
"""Different rows that are asked about, again and again."""
_CLOCK = (1_000, 10.0)
"""Requests, and seconds they may take at most."""
_TURN = (300, 3.0)
_TURNS = (0, 1, 1, 0)
"""Candidate, champion, champion, candidate: what drifts on the machine meets both alike."""
_FEWEST = 100


def latency(name: str, material: Material) -> Answer:
    """The quantile by the clock over at most 1,000 requests of one row, 10 seconds at most."""
    own = _own(material)
    if own is None:
        return errored(f"{name} {NO_MODEL}")
    try:
        wall = _kept(material, own, "latency/1")
    except UserCodeError as error:
        return errored(f"{name} could not be measured: {error.message}")
    level = int(name.removeprefix("latency_p"))
    if level > 95 and len(wall) < _FEWEST:
        return errored(f"{name} needs {_FEWEST} requests, and only {len(wall)} were answered in {_CLOCK[1]:g} s")
    # The order statistic above: no request is made up between two that were measured.
    value = float(np.quantile(wall, level / 100, method="higher"))
    told = f"{level} % of {numbers.count(len(wall))} requests of one row took at most {numbers.duration(value)}"
    return Number(value=value, told=told)


def cpu_ratio(name: str, material: Material) -> Answer:
    """Median processor time of a request, the candidate's divided by the champion's, both processes taken in turns."""
    own, champion = _own(material), material.case.champion
    if own is None:
        return errored(f"{name} {NO_MODEL}")
    if champion is None:
        return skipped("no model has passed before: nothing to compare with")
    try:
        rival = champion_model(material.case, champion.stored, material.clock)
        if _same(own, rival):
            return Number(value=1.0, told="This is the champion's model, byte for byte, with the same code")
        times = _in_turns(material, own, rival)
    except MlopsCiError as error:
        return Absence(status=Status.UNDECIDED, reason=f"the champion's model cannot be timed: {error.message}")
    ours, theirs = (median(found) for found in times)
    if not theirs > 0:
        return errored(f"{name} has no value: the champion's answers take no measurable processor time")
    told = (
        f"One row takes {_milliseconds(ours)} of processor time, with the champion {_milliseconds(theirs)} "
        f"(medians of {numbers.count(len(times[0]))} and {numbers.count(len(times[1]))} requests, in turns)"
    )
    return Number(value=ours / theirs, told=told)


def _own(material: Material) -> Asker | None:
    fitted = material.model.fitted
    if fitted is None:
        return None
    return Asker(tree=material.case.head, fitted=fitted, workshop=material.workshop)


def _same(own: Asker, rival: Asker) -> bool:
    same_code = own.workshop.code == rival.workshop.code
    same_environment = own.workshop.environment.digest == rival.workshop.environment.digest
    return own.fitted.digest != "" and own.fitted.digest == rival.fitted.digest and same_code and same_environment


def _kept(material: Material, asker: Asker, name: str) -> tuple[float, ...]:
    """Wall times, measured once for a model on this machine."""

    def produce(folder: Path) -> None:
        times = _timed(material, asker, *_CLOCK)
        (folder / "wall.json").write_bytes(msgspec.json.encode(times.wall))

    reads = _reads(material, asker)
    folder, _ = Cache(material.case.project.state).folder("facts", [name, SEED, _ROWS, _CLOCK, reads], produce)
    return msgspec.json.decode((folder / "wall.json").read_bytes(), type=tuple[float, ...])


def _in_turns(material: Material, own: Asker, rival: Asker) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Processor times of candidate and champion, kept together: neither is compared with another day's."""

    def produce(folder: Path) -> None:
        found: tuple[list[float], list[float]] = ([], [])
        for who in _TURNS:
            found[who].extend(_timed(material, (own, rival)[who], *_TURN).cpu)
        (folder / "cpu.json").write_bytes(msgspec.json.encode(found))

    reads = [_reads(material, own), _reads(material, rival)]
    about = ["latency.cpu_ratio/1", SEED, _ROWS, _TURN, _TURNS, reads]
    folder, _ = Cache(material.case.project.state).folder("facts", about, produce)
    return msgspec.json.decode((folder / "cpu.json").read_bytes(), type=tuple[tuple[float, ...], tuple[float, ...]])


def _reads(material: Material, asker: Asker) -> list[object]:
    project, data = material.case.project, material.data
    return reads_of(project, data.snapshot, data.holdout, fitted=asker.fitted, workshop=asker.workshop)


def _timed(material: Material, asker: Asker, requests: int, seconds: float) -> Timed:
    places = material.held[sample(material.data.holdout.rows, _ROWS)]
    with files.temporary() as beside, asker.workshop.open() as bench:
        frames.write(material.rows(places), beside / "features")
        asked = request(asker.tree, material.data.holdout, asker.fitted, beside / "features")
        found = bench.run("time", {**asked, "requests": requests, "seconds": seconds}).value
    if not isinstance(found, Timed):
        raise TypeError(f"the job time answered {type(found).__name__}")
    if not found.wall or not found.cpu or min(*found.wall, *found.cpu, 0.0) < 0 or not np.isfinite(found.wall).all():
        raise UserCodeError("the times of the model are no times", "the project's code must leave them alone")
    return found


def _milliseconds(seconds: float) -> str:
    return f"{numbers.fixed(seconds * 1000, numbers.natural(seconds * 1000))} ms"
