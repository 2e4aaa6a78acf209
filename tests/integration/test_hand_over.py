"""What the recording job makes of what is handed over: nothing is written that the judging job cannot have found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from mlops_ci.records.decisions import Trust
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.steps.runs import Kept
from tests.github.judging import Judging, forged, repository

WORSE = {"params.yaml": "limit: 99.0\n"}
REFUSED = ("failure", "rain: refused. Accuracy fell from 0.74 to 0.49, below 0.6")
ANOTHER = "rain: could not be judged. The decision of rain is about another commit or run"


class Sent(NamedTuple):
    judging: Judging
    run: int


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    with repository(tmp_path_factory.mktemp("handed")) as judging:
        commit = judging.branch(WORSE)
        yield Sent(judging, judging.left(judging.checked(), commit))


def decision(**other: Any) -> Callable[[Path], None]:
    """Another decision lies there, every digest made right."""

    def change(kept: Kept) -> Kept:
        return replace(kept, decision=replace(kept.decision, **other))

    return instead(change)


def instead(change: Callable[[Kept], Kept]) -> Callable[[Path], None]:
    def done(judged: Path) -> None:
        [folder] = [each for each in judged.iterdir() if each.is_dir()]
        shutil.copytree(forged(folder, judged.parent / f"{judged.name}-forged", change), folder, dirs_exist_ok=True)

    return done


def of_another_commit(kept: Kept) -> Kept:
    return replace(kept, decision=replace(kept.decision, subject=replace(kept.decision.subject, commit="5" * 40)))


def of_a_dirty_tree(kept: Kept) -> Kept:
    return replace(kept, decision=replace(kept.decision, subject=replace(kept.decision.subject, dirty=True)))


def passed(kept: Kept) -> Kept:
    gates = tuple(replace(one, verdict=Status.PASSED, observed=0.99) for one in kept.decision.gates)
    return replace(kept, decision=replace(kept.decision, outcome=Outcome.PASSED, reason="", gates=gates))


def without_the_gate_that_failed(kept: Kept) -> Kept:
    gates = tuple(replace(one, blocking=False) for one in kept.decision.gates)
    return replace(kept, decision=replace(kept.decision, outcome=Outcome.PASSED, reason="", gates=gates))


def listed(**other: Any) -> Callable[[Path], None]:
    """The list says something else of the run."""

    def done(judged: Path) -> None:
        told = json.loads((judged / "judged.json").read_bytes())
        (judged / "judged.json").write_text(json.dumps({**told, **other}))

    return done


def named(**other: Any) -> Callable[[Path], None]:
    """The list says something else of the project."""

    def done(judged: Path) -> None:
        told = json.loads((judged / "judged.json").read_bytes())
        told["projects"] = [{**told["projects"][0], **other}]
        (judged / "judged.json").write_text(json.dumps(told))

    return done


def lies_elsewhere(judged: Path) -> None:
    [folder] = [each for each in judged.iterdir() if each.is_dir()]
    shutil.move(folder, judged.parent / f"{judged.name}-aside")
    named(run=f"../{judged.name}-aside")(judged)


def written(text: str) -> Callable[[Path], object]:
    return lambda judged: (judged / "judged.json").write_text(text)


LIST = "could not be judged: judged.json cannot be read: "


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(instead(of_another_commit), ANOTHER, id="a decision about another commit"),
        pytest.param(instead(of_a_dirty_tree), ANOTHER, id="a decision about no commit"),
        pytest.param(decision(trust=Trust.DEFAULT_BRANCH), ANOTHER, id="a decision of the default branch"),
        pytest.param(decision(project="snow"), ANOTHER, id="a decision about another project"),
        pytest.param(
            instead(passed),
            "rain: could not be judged. The evidence does not give the verdicts: accuracy >= 0.6: recorded passed",
            id="a verdict that is not that of its evidence",
        ),
        pytest.param(
            instead(without_the_gate_that_failed),
            "rain: could not be judged. The evidence does not give the verdicts: accuracy >= 0.6: failed, and nothing",
            id="a gate that does not block",
        ),
        pytest.param(
            decision(outcome=Outcome.PASSED),
            "rain: could not be judged. The evidence does not give the verdicts: recorded passed, its answers say",
            id="an outcome that is not that of its gates",
        ),
        pytest.param(
            lies_elsewhere,
            "rain: could not be judged. The decision of rain lies nowhere in what was handed over",
            id="a decision outside of the folder",
        ),
        pytest.param(named(run=""), "rain: could not be judged. The decision of rain lies nowhere", id="no decision"),
        pytest.param(named(run="gone"), "rain: could not be judged. Gone is not the folder of a run", id="none there"),
        pytest.param(
            listed(commit="5" * 40),
            "could not be judged: what was judged is about another commit or run",
            id="a list about another commit",
        ),
        pytest.param(
            listed(run=1), "could not be judged: what was judged is about another commit or run", id="of another run"
        ),
        pytest.param(
            listed(trust="default-branch"),
            "could not be judged: what was judged is about another commit or run",
            id="a list of the default branch",
        ),
        pytest.param(written("{"), LIST, id="no JSON"),
        pytest.param(written('{"x":' + "[" * 100_000), LIST, id="a list nested without end"),
        pytest.param(listed(commit="5" * 2_000_000), LIST, id="a list without end"),
        pytest.param(shutil.rmtree, "could not be judged: the job that judges left no answer", id="nothing"),
    ],
)
def test_what_cannot_have_been_judged_is_not_recorded(
    change: Callable[[Path], object], status: str, sent: Sent
) -> None:
    told = sent.judging.judged(sent.run, change)
    assert [ran.code for ran in told.ran] == [0, 0], told.ran
    assert told.state == "error"
    assert told.status.startswith(status)
    assert told.decision is None


def test_what_is_handed_over_as_it_was_judged_is_recorded(sent: Sent) -> None:
    told = sent.judging.judged(sent.run, instead(lambda kept: kept))
    assert (told.state, told.status) == REFUSED
    assert told.decision["outcome"] == "failed"
