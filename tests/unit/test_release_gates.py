"""Gates over what only a release has: asked as they were written when the model passed, of what was measured."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from mlops_ci.errors import ConfigError
from mlops_ci.gates.grammar import parse
from mlops_ci.gates.validate import validate_names
from mlops_ci.records.decisions import Evidence
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict, Waiver
from mlops_ci.steps import release_gates
from mlops_ci.steps.release_decision import Candidate, Passed
from tests.helpers import decision
from tests.unit.reports.release_stories import bundle, image

if TYPE_CHECKING:
    from mlops_ci.gates.gate import Undecided

WAIVER = Waiver(gate="bundle_size <= 1 MB", reason="For a week.", owner="Ada", until="2026-12-01")


def before(text: str, verdict: Status = Status.PASSED, **more: Any) -> Verdict:
    return Verdict(gate=text, name=text, verdict=verdict, **more)


def candidate(*gates: Verdict, made: bool = True, when_undecided: Undecided = "refuse") -> Candidate:
    judged = msgspec.structs.replace(decision(), gates=gates)
    judge = SimpleNamespace(gates=[parse(one.gate, when_undecided=when_undecided) for one in gates], head_gates=())
    return Candidate(
        case=cast("Any", SimpleNamespace(judge=judge)),
        passed=Passed(decision=judged, decision_id="d" * 64, evidence=Evidence()),
        bundle=cast("Any", None),
        info=bundle(),
        results=(),
        image=image() if made else msgspec.UNSET,
    )


def verdicts(found: Candidate) -> list[tuple[str, str, float | None]]:
    return [(one.gate, one.verdict, one.observed) for one in found.gates]


def test_the_bundle_is_judged_by_all_its_files() -> None:
    """1.24 MB of it; the numbers are exact, so the limit itself is within."""
    passed = release_gates.of_bundle(candidate(before("bundle_size <= 1.24 MB"), before("accuracy >= 0.9")))
    assert verdicts(passed) == [("bundle_size <= 1.24 MB", "passed", 1_240_000.0)]
    assert not passed.refused
    assert passed.facts == {"bundle_size": 1_240_000.0}
    note = passed.fact_notes["bundle_size"]
    assert (note.unit, note.told) == ("bytes", "The bundle takes 1.2 MB, its runtime, lock and papers with the model")
    failed = release_gates.of_bundle(candidate(before("bundle_size <= 1.23 MB")))
    assert verdicts(failed) == [("bundle_size <= 1.23 MB", "failed", 1_240_000.0)]
    assert failed.refused
    assert failed.against
    assert (failed.against.method, failed.against.reason) == ("point/1", "1.24 MB is above 1.23 MB")


def test_the_image_is_judged_where_there_is_one() -> None:
    small, large = before("image_size <= 300 MB", Status.SKIPPED), before("image_size <= 312 MB", Status.SKIPPED)
    assert verdicts(release_gates.of_image(candidate(small, large))) == [
        ("image_size <= 300 MB", "failed", 312_000_000.0),
        ("image_size <= 312 MB", "passed", 312_000_000.0),
    ]
    note = release_gates.of_image(candidate(small)).fact_notes["image_size"]
    assert (note.unit, note.told) == ("bytes", "The image of the server takes 312 MB unpacked, with its base")
    without = release_gates.of_image(candidate(small, made=False))
    assert [(one.verdict, one.reason) for one in without.gates] == [(Status.SKIPPED, "the release has no image")]
    assert not without.refused


def test_no_other_gate_is_asked_again() -> None:
    """Nor one that a release says nothing of."""
    asked = candidate(before("accuracy >= 0.9"), before("training_seconds <= 1 s"), before("n - o > 0.02"))
    assert release_gates.of_image(release_gates.of_bundle(asked)) == asked


def test_a_waiver_of_the_check_holds_for_the_release() -> None:
    gate = before("bundle_size <= 1 MB", Status.FAILED, blocking=False, waived=WAIVER)
    found = release_gates.of_bundle(candidate(gate))
    assert [(one.verdict, one.waived) for one in found.gates] == [(Status.FAILED, WAIVER)]
    assert not found.refused


def test_what_the_image_adds_stands_beside_what_the_bundle_said() -> None:
    asked = candidate(before("bundle_size <= 2 MB"), before("image_size <= 300 MB", Status.SKIPPED))
    found = release_gates.of_image(release_gates.of_bundle(asked))
    assert [one.verdict for one in found.gates] == ["passed", "failed"]
    assert found.facts == {"bundle_size": 1_240_000.0, "image_size": 312_000_000.0}
    assert found.fact_notes.keys() == found.facts.keys()


def test_only_a_waiver_lets_a_failed_gate_through() -> None:
    """A gate that was undecided in the check, and did not block there, can fail here."""
    found = release_gates.of_bundle(candidate(before("bundle_size <= 1 MB", Status.UNDECIDED, blocking=False)))
    assert [(one.verdict, one.blocking) for one in found.gates] == [(Status.FAILED, True)]
    assert found.refused


@pytest.mark.parametrize("text", ["image_size + bundle_size <= 1 GB", "bundle_size - image_size <= 0 MB"])
def test_a_gate_over_both_times_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="measured at the release"):
        validate_names((parse(text),))


def test_a_gate_over_one_is_not() -> None:
    validate_names((parse("image_size <= 300 MB"), parse("bundle_size <= 300 MB")))
