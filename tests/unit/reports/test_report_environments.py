"""Gates of environments: shown apart from those that decide, in words that do not say they block."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from mlops_ci.records.decisions import Decision
from mlops_ci.records.outcomes import Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import markdown, terminal
from mlops_ci.reports.document import Document, Section
from mlops_ci.reports.sections import gates
from mlops_ci.reports.story import Story
from tests.unit.reports.report_stories import ACCURACY, AUC, HOSTILE, RECALL, refused


def _story(*verdicts: Verdict) -> Story:
    told = refused()
    decision: Decision = replace(told.decision, environments=verdicts)
    return replace(told, decision=decision)


def _of(environment: str, verdict: Verdict) -> Verdict:
    return replace(verdict, environment=environment)


def _page(story: Story) -> str:
    section = Section(name="gates", keep=1, blocks=gates.section(story))
    page = Document(project="flights", outcome=story.decision.outcome, title=(), sections=(section,))
    return markdown.render(page)


def test_each_environment_has_its_own_answer_below_the_gates(golden: Callable[[str, str | bytes], None]) -> None:
    story = _story(_of("staging", AUC), _of("production", AUC), _of("production", RECALL), _of("production", ACCURACY))
    golden("environments.md", _page(story))
    golden("environments.txt", "\n".join(terminal.verdict_lines(story)) + "\n")


def test_a_gate_that_does_not_block_leaves_the_environment_passed() -> None:
    waved = replace(RECALL, verdict=Status.UNDECIDED, blocking=False)
    assert "For production: passed." in _page(_story(_of("production", waved), _of("production", AUC)))


def test_a_hostile_gate_of_an_environment_is_only_text() -> None:
    story = _story(_of("production", replace(RECALL, gate=HOSTILE[0], name=HOSTILE[0], reason=HOSTILE[0])))
    assert "<b>" not in _page(story).replace("<summary>", "")
    assert not any("\n" in line or "\x1b" in line for line in terminal.verdict_lines(story))
