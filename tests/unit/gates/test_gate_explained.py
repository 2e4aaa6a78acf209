"""What `explain` says of gates of every form, and what is said of those that are refused: read by a newcomer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlops_ci.errors import ConfigError
from mlops_ci.gates.explain import explain
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.terms import TERMS
from mlops_ci.gates.validate import validate
from mlops_ci.records.results import Where
from mlops_ci.reports.glossary import NOUNS

Golden = Callable[[str, str | bytes], None]

EXPLAINED = (
    "roc_auc >= 0.72",
    "accuracy >= 0.78 @ 95%",
    "recall[origin=JFK] >= 0.38 @ 95%",
    "roc_auc - champion.roc_auc > -0.01 @ 95%",
    "log_loss <= 1.1 * champion.log_loss",
    "worst(recall, by=origin, min_rows=500) >= 0.15 @ 95%",
    "gap(recall, by=origin, min_rows=500) <= 0.1 @ 95%",
    "gap(recall, by=origin) <= 0.1",
    "d <= 0.1 @ 95%",
    "n > 0.8 +/- 0.05 @ 99.9%",
    "n - o > 0.02 +/- 0.01 @ 99.9%",
    "n - 1.1 * o > -0.2 +/- 5% @ 99%",
    "bundle_size <= 50 MB",
)


def test_a_gate_of_every_form_is_explained(golden: Golden) -> None:
    gates = [parse(text) for text in EXPLAINED]
    gates.append(parse("d < 0.1 +/- 0.01 @ 99.9%", when_undecided="accept"))
    validate(gates, task="classification", slices=["origin"])
    golden("explain-gates.txt", "\n\n".join(f"# {gate.text}\n\n{explain(gate, gates)}" for gate in gates) + "\n")


def test_every_word_of_the_language_is_explained_by_a_gate_that_can_be_written() -> None:
    for name, told in TERMS.items():
        assert told.startswith(name)
        examples = [parse(example) for example in told.split("`")[1::2] if "=" in example or ">" in example]
        validate(examples, task="classification", slices=["origin"])


REFUSED = (
    "accuracy => 0.6",
    "acuracy >= 0.6",
    "rmse <= 3",
    "recall[orign=JFK] >= 0.3",
    "worst(recall, by=carrier) >= 0.3",
    "gap(recall) <= 0.1",
    "gap(recall, by=origin) >= 0.1 @ 95%",
    "n - o > 0.02 +/- 0 @ 99%",
    "n - o > 0.02 +/- -0.01 @ 99%",
    "n - o > 0.02 +/- 0.01",
    "roc_auc > 0.7 +/- 0.01 @ 99%",
    "accuracy >= 0.8 @ 0%",
    "accuracy >= 0.8 @ 100%",
    "accuracy >= 0.8 @ 95",
    "recall - 1.1 * champion.recall > 0 @ 95%",
    "champion.d < 0.1",
    "accuracy ≥ 0.8",
)


def test_a_gate_that_cannot_be_judged_is_refused_with_its_place_and_what_to_write(golden: Golden) -> None:
    told = []
    for text in REFUSED:
        with pytest.raises(ConfigError) as caught:
            validate([parse(text, where=Where("mlops.yaml", 12))], task="classification", slices=["origin"])
        told.append(f"{caught.value.where}: {caught.value.message}\n{caught.value.advice}\n")
        assert "^" in told[-1].splitlines()[2]
    golden("refused-gates.txt", "\n".join(told))


NOUNS_OF_THE_DESIGN = [
    "project",
    "subject",
    "base",
    "champion",
    "judge",
    "snapshot",
    "profile",
    "contract",
    "check",
    "result",
    "predictions",
    "gate",
    "verdict",
    "evidence",
    "decision",
    "ledger",
    "store",
    "bundle",
    "release",
    "environment",
    "promotion",
    "look",
    "undecided",
    "group",
    "waiver",
    "anchor",
]


def test_every_noun_is_explained_by_itself() -> None:
    for noun in NOUNS_OF_THE_DESIGN:
        assert (NOUNS | TERMS)[noun].startswith(f"{noun}: ")
    assert not NOUNS.keys() & TERMS.keys()
    for noun, told in NOUNS.items():
        assert told.startswith(f"{noun}: ")
        assert told.endswith(".")
