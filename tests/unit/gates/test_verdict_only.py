"""One answer leaves the gate part: the same word for all that did not pass, and no number."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.gates.grammar import parse
from mlops_ci.gates.question import Question, Wear
from mlops_ci.gates.verdict_only import METHOD, passes, verdicts
from mlops_ci.records.evaluation import Champion, Holdout, Predictions, Task
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict

ROWS = 1000
GATES = tuple(map(parse, ("accuracy >= 0.8 @ 95%", "recall >= 0.6", "recall >= 0.6 @ 95%")))
_MAY = {"gate", "name", "verdict", "threshold", "confidence", "method", "reason", "blocking", "where"}


def _asked(right: float, *, positives: float = 0.5) -> Question:
    generator = np.random.default_rng(0)
    truth = (generator.random(ROWS) < positives).astype(np.int32)
    labels = np.where(generator.random(ROWS) < right, truth, 1 - truth).astype(np.int32)
    ids = np.arange(ROWS, dtype=np.uint64)
    holdout = Holdout(task=Task.BINARY, digest="", ids=ids, truth=truth, classes=("no", "yes"))
    return Question(holdout=holdout, predictions=Predictions(digest="", labels=labels))


def _question(part: Question, wear: Wear | None = None) -> Question:
    return replace(_asked(0.9), gate_part=replace(part, wear=wear or Wear(decisions=32, looks=0, histories=32)))


def _told(question: Question, gates: tuple[object, ...] = GATES) -> tuple[Verdict, ...]:
    return verdicts(gates, question, passed=passes([gates], question))  # type: ignore[arg-type, list-item]


FAILED, UNDECIDED, ERRORED = _asked(0.3), _asked(0.8), _asked(0.9, positives=0.0)


def test_failed_undecided_and_errored_read_the_same() -> None:
    told = [_told(_question(part)) for part in (FAILED, UNDECIDED, ERRORED)]
    assert told[0] == told[1] == told[2]
    assert [one.verdict for one in told[0]] == [Status.UNDECIDED, Status.PASSED, Status.UNDECIDED]


@pytest.mark.parametrize("part", [FAILED, _asked(0.95)])
def test_nothing_but_the_answer_is_told_of_gates_with_a_confidence(part: Question) -> None:
    plain = Verdict(gate="", name="", verdict=Status.PASSED)
    for one in (_told(_question(part))[place] for place in (0, 2)):
        told = {name for name in Verdict.__struct_fields__ if getattr(one, name) != getattr(plain, name)}
        assert told <= _MAY
        assert one.method == METHOD
        assert not any(letter.isdigit() for letter in one.reason)


def test_other_gates_tell_their_numbers_of_the_other_rows() -> None:
    one = _told(_question(FAILED))[1]
    assert one.observed == pytest.approx(0.9, abs=0.03)
    assert msgspec.json.encode(one) == msgspec.json.encode(_told(_question(_asked(0.95)))[1])


def test_all_gates_share_one_answer() -> None:
    """Were they told apart, three gates would give eight answers, and the guarantee counts two."""
    fine, gates = _question(_asked(0.9)), tuple(map(parse, ("accuracy >= 0.8 @ 95%", "accuracy >= 0.95 @ 95%")))
    assert [one.verdict for one in _told(fine, gates[:1])] == [Status.PASSED]
    assert [one.verdict for one in _told(fine, gates)] == [Status.UNDECIDED] * 2
    assert not passes([gates[:1], gates[1:]], fine)  # base's and head's


def test_the_level_is_a_kth_and_a_worn_out_part_passes_nothing() -> None:
    gate = (parse("accuracy >= 0.87 @ 95%"),)
    part = _asked(0.9)
    assert passes([gate], _question(part, Wear(decisions=32, looks=31, histories=1)))
    assert not passes([gate], _question(part, Wear(decisions=32, looks=31, histories=2**32 - 1)))
    for worn in (Wear(decisions=32, looks=32, histories=1), Wear(decisions=32, looks=1, histories=1, spent="passed")):
        told = _told(_question(part, worn), gate)
        assert told[0].verdict is Status.UNDECIDED
        assert told[0].reason.startswith("worn out")


def test_an_undecided_gate_blocks_whatever_it_says() -> None:
    gate = (replace(GATES[0], when_undecided="accept"),)
    assert _told(_question(UNDECIDED), gate)[0].blocking


def test_a_gate_with_a_tolerance_takes_the_level_from_the_same_place() -> None:
    gate, part = (parse("n >= 0.8 +/- 0.05 @ 95%"),), _asked(0.95)
    assert passes([gate], _question(part, Wear(decisions=32, looks=0, histories=1)))
    assert not passes([gate], _question(part, Wear(decisions=32, looks=0, histories=2**32 - 1)))
    assert _told(_question(part), gate)[0].rows_needed is None


def test_what_everybody_can_see_is_skipped_and_asks_nothing() -> None:
    gates = tuple(map(parse, ("accuracy >= 0.8 @ 95%", "accuracy - champion.accuracy > -0.05 @ 95%")))
    question = _question(_asked(0.95))
    assert [one.verdict for one in _told(question, gates)] == [Status.PASSED, Status.SKIPPED]
    silent = Champion(name="v1", decision="", commit="", reason="its model cannot be asked")
    part = replace(question.gate_part, champion=silent)  # type: ignore[type-var]
    known = replace(question, champion=replace(silent, predictions=question.predictions), gate_part=part)
    assert [one.verdict for one in _told(known, gates)] == [Status.UNDECIDED] * 2
