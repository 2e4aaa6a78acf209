"""The facts a gate can name: single numbers that steps find or measure and record, beside the metrics of predictions.

What a check knows anyway costs nothing. The others are measured only where a gate names them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mlops_ci.evaluation.metrics import METRICS
from mlops_ci.records.evaluation import Task


class Needs(StrEnum):
    """What has to be done for a fact that a check does not know anyway."""

    NOTHING = ""
    MODEL = "the model is asked once more"
    TRAINING = "the model is trained again"
    TRAININGS = "the model is trained four times more, with other seeds"
    RELEASE = "a release measures it, and until then the gate is skipped"
    CHAMPION = "the champion's model is restored or trained again, and both are timed in turns"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """`unit` is the one its number is given in: `s`, `bytes`, `rows`, `count` or none."""

    meaning: str
    unit: str = ""
    needs: Needs = Needs.NOTHING
    tasks: frozenset[Task] = frozenset(Task)


FAMILIES: dict[str, tuple[str, Needs]] = {
    "trivial": (
        "{} of a model that always answers the same: the commonest class of the training rows, or their mean",
        Needs.NOTHING,
    ),
    "train_gap": (
        "how much better {} is on rows the model was trained on than on held-out ones; large: it learnt them by heart",
        Needs.MODEL,
    ),
    "seed_noise": (
        "the largest {} minus the smallest over five trainings with other seeds: a gain smaller than this is noise",
        Needs.TRAININGS,
    ),
}
"""Facts that exist for every metric, `trivial.accuracy`: what one means, and what it needs."""

_ONCE_MORE = "a bounded sample of the held-out rows"

_SINGLE: dict[str, Fact] = {
    "bundle_size": Fact(
        unit="bytes",
        meaning="size of the model as it is saved: its file, or the files of its folder; a release asks the gate "
        "again, of all files of its bundle",
    ),
    "image_size": Fact(
        unit="bytes", meaning="unpacked size of the container image of the server, with its base", needs=Needs.RELEASE
    ),
    "cpu_per_request": Fact(
        unit="s",
        meaning="processor time of the bundle's own server for a request of one row, on average",
        needs=Needs.RELEASE,
    ),
    "training_seconds": Fact(unit="s", meaning="time the training took, when the model that is judged was trained"),
    "latency_p50": Fact(
        unit="s", meaning="time to answer one row that half of the requests stay below", needs=Needs.MODEL
    ),
    "latency_p95": Fact(
        unit="s", meaning="time to answer one row that 95 % of the requests stay below", needs=Needs.MODEL
    ),
    "latency_p99": Fact(
        unit="s", meaning="time to answer one row that 99 % of the requests stay below", needs=Needs.MODEL
    ),
    "latency.cpu_ratio": Fact(
        meaning="processor time to answer one row, divided by the champion's, both measured in this run",
        needs=Needs.CHAMPION,
    ),
    "calibration.slope": Fact(
        meaning="slope of the logistic recalibration: 1 is right, below 1 the probabilities are too extreme",
        tasks=frozenset({Task.BINARY}),
    ),
    "calibration.intercept": Fact(
        meaning="calibration in the large, in log odds: 0 is right, above 0 the probabilities are too low on the whole",
        tasks=frozenset({Task.BINARY}),
    ),
    "robustness.noise": Fact(
        meaning="how much the main metric gets worse when every number gets noise of 0.1 standard deviations, on "
        + _ONCE_MORE,
        needs=Needs.MODEL,
    ),
    "robustness.missing": Fact(
        meaning="how much the main metric gets worse when 10 % of the values of every column are missing, on "
        + _ONCE_MORE,
        needs=Needs.MODEL,
    ),
    "robustness.typos": Fact(
        meaning="how much the main metric gets worse when 10 % of the values of every text column are misspelt, on "
        + _ONCE_MORE,
        needs=Needs.MODEL,
    ),
    "determinism.predict": Fact(
        meaning="share of rows answered differently when they are asked again in another order and in batches of ten, "
        "on " + _ONCE_MORE,
        needs=Needs.MODEL,
    ),
    "determinism.train": Fact(
        meaning="share of held-out rows answered differently by a second training with the same seed",
        needs=Needs.TRAINING,
    ),
    "data.rows": Fact(unit="rows", meaning="rows of the prepared table"),
    "data.train_rows": Fact(unit="rows", meaning="rows the model is trained on"),
    "data.holdout_rows": Fact(unit="rows", meaning="held-out rows"),
    "data.duplicates": Fact(unit="rows", meaning="rows that repeat an earlier one in all but the id"),
    "data.failed": Fact(unit="count", meaning="data checks that failed"),
    "drift.max_psi": Fact(
        meaning="largest population stability index of a column against the base, above its noise floor"
    ),
    "tests.failed": Fact(unit="count", meaning="behaviour tests of the model that failed"),
    "tests.passed": Fact(unit="count", meaning="behaviour tests of the model that passed"),
}

FACTS: dict[str, Fact] = _SINGLE | {
    f"{family}.{metric.name}": Fact(
        unit=metric.unit, meaning=meaning.format(metric.name), needs=needs, tasks=metric.tasks
    )
    for family, (meaning, needs) in FAMILIES.items()
    for metric in METRICS.values()
}

AT_RELEASE = frozenset(name for name, fact in FACTS.items() if fact.needs is Needs.RELEASE)
"""Facts that no check can know."""

KINDS_OF_FACT = (*_SINGLE, *(f"{family}.METRIC" for family in FAMILIES))
"""What lists of facts show: a family once."""
