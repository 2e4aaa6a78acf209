"""The facts a gate can name: single numbers that steps measure and record, beside the metrics of the predictions."""

from __future__ import annotations

import msgspec


class Fact(msgspec.Struct, frozen=True):
    """`unit` is the one its number is given in: `s`, `bytes`, `rows`, `count` or none."""

    unit: str
    meaning: str


FACTS: dict[str, Fact] = {
    "bundle_size": Fact("bytes", "size of the packaged model on disk"),
    "latency_p50": Fact("s", "time for one prediction that half of the requests stay below"),
    "latency_p95": Fact("s", "time for one prediction that 95 % of the requests stay below"),
    "latency_p99": Fact("s", "time for one prediction that 99 % of the requests stay below"),
    "training_seconds": Fact("s", "time the training took"),
    "data.rows": Fact("rows", "rows of the prepared table"),
    "data.train_rows": Fact("rows", "rows the model is trained on"),
    "data.holdout_rows": Fact("rows", "held-out rows"),
    "data.duplicates": Fact("rows", "rows whose content another row has too"),
    "data.failed": Fact("count", "data checks that failed"),
    "drift.max_psi": Fact("", "largest population stability index of a column against the base, above its noise floor"),
    "tests.failed": Fact("count", "behaviour tests of the model that failed"),
    "tests.passed": Fact("count", "behaviour tests of the model that passed"),
}
