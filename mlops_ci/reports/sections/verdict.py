"""The verdict in one sentence with its numbers, and what was judged against what."""

from __future__ import annotations

from mlops_ci.records.decisions import Trust
from mlops_ci.records.outcomes import Outcome, Status, combine
from mlops_ci.records.results import Part
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import claims, numbers, uses, words
from mlops_ci.reports.document import Block, Code, Paragraph, Spans, Strong, Text
from mlops_ci.reports.sections import waived
from mlops_ci.reports.story import Story
from mlops_ci.reports.words import METRICS

_ORDER = (Status.ERRORED, Status.FAILED, Status.UNDECIDED)


def title(story: Story) -> Spans:
    """`flight-delay: refused. Recall at origin=JFK fell from 0.412 to 0.361, below 0.38`"""
    decision = story.decision
    return (Text(f"{decision.project}: "), Strong(waived.headline(story)), Text(". "), *sentence(story))


def sentence(story: Story) -> Spans:
    """Why, with the decisive numbers; no full stop."""
    found = _why(story)
    return (words.capital(found[0]), *found[1:]) if found else ()


def _why(story: Story) -> Spans:
    decision = story.decision
    if story.stopped_by:
        return _stopped(story)
    if decision.reason:
        return (Text(decision.reason.rstrip(".")),)
    if decision.outcome is Outcome.PASSED:
        return _passed(story)
    gate = decisive(story)
    if gate is not None:
        return claims.outcome(gate)
    for wanted in _ORDER:
        for result in decision.checks:
            if result.blocking and result.status is wanted:
                return (Code(result.check), Text(f": {result.message.rstrip('.')}"))
    return (Text("no reason was recorded"),)


def decisive(story: Story) -> Verdict | None:
    """The first blocking gate with the status that made the outcome; None when a check made it."""
    wanted = Status(story.decision.outcome.value)
    return next((v for v in story.decision.numbered_gates if v.blocking and v.verdict is wanted), None)


def _stopped(story: Story) -> Spans:
    first, *others = story.stopped_by
    more = f" (and {numbers.plural(len(others), 'more check')})" if others else ""
    return (Text(first.message.rstrip(".")), Text(more))


def _passed(story: Story) -> Spans:
    gates = story.decision.numbered_gates
    held = [verdict for verdict in gates if verdict.verdict is Status.PASSED]
    if not gates:
        return (Text("there are no gates"),)
    every = "its one gate holds" if len(gates) == 1 else f"all {len(gates)} gates hold"
    start = every if len(held) == len(gates) else f"{len(held)} of {len(gates)} gates hold{_rest(gates)}"
    change = story.evidence.data_change
    if change is not None and change.added:
        start += f" with {numbers.plural(change.added, 'new row')} of data"
    lead = next((v for v in gates if v.waived), None)
    lead = lead or next((v for v in held if v.difference and v.observed is not None), None)
    measured = sorted((v for v in held if v.observed is not None), key=lambda v: claims.metric_name(v) not in METRICS)
    lead = lead or next(iter(measured), None)
    return (Text(start), Text("; "), *claims.outcome(lead)) if lead else (Text(start),)


def _rest(gates: tuple[Verdict, ...]) -> str:
    parts = [
        f"{number} {words.STATUSES[status]}"
        for status in (Status.SKIPPED, Status.UNDECIDED, Status.FAILED, Status.ERRORED)
        if (number := sum(verdict.verdict is status and not verdict.waived for verdict in gates))
    ]
    waivers = sum(bool(verdict.waived) for verdict in gates)
    parts += [f"{waivers} waived"] if waivers else []
    return ", " + ", ".join(parts)


def section(story: Story) -> tuple[Block, ...]:
    blocks = [*waived.section(story), Paragraph(_subject(story))]
    blocks += [
        Paragraph(note)
        for note in (
            _two_verdicts(story),
            _reported(story),
            _judge(story),
            _opened(story),
            _dirty(story),
            _unprotected(story),
            _no_champion(story),
            _no_anchor(story),
            uses.note(story),
        )
        if note
    ]
    return tuple(blocks)


def _subject(story: Story) -> Spans:
    decision, evaluation = story.decision, story.evidence.evaluation
    commit = decision.subject.commit
    spans: Spans = (Code(numbers.short(commit)),) if commit else (Text("Uncommitted changes"),)
    if decision.subject.commit_title:
        spans += (Text(f" “{decision.subject.commit_title}”"),)
    rivals = [name for name in (story.champion, story.anchor) if name]
    for word, name in zip((" against ", " and "), rivals, strict=False):
        spans += (Text(word), Strong(name))
    if evaluation is not None:
        spans += (Text(f", on {numbers.plural(evaluation.rows, 'held-out row')}"),)
    return (*spans, Text(" · change: "), *_changed(story))


def _changed(story: Story) -> Spans:
    change = story.decision.change
    if not story.decision.base:
        return (Text("the first decision, nothing to compare with"),)
    if not change.kinds:
        is_new = story.decision.judge.source == "head" and not story.decision.judge.differences
        return (Text("mlops.yaml is new here, nothing to compare with" if is_new else "nothing that is judged"),)
    kinds = ", ".join(words.KINDS.get(kind, kind) for kind in change.kinds)
    if len(change.params) != 1:
        return (Strong(kinds),)
    one = change.params[0]
    return (
        Strong(kinds),
        Text(" ("),
        Code(f"{one.file}: {one.key} {one.before or '–'} → {one.after or '–'}"),
        Text(")"),
    )


def _two_verdicts(story: Story) -> Spans:
    """On new data: is it the data or the model?"""
    decision = story.decision
    results = [result.status for result in story.results(Part.DATA) if result.blocking]
    if story.stopped_by:
        by_data = story.stopped_by[0].part is Part.DATA
        model = "not trained, nothing was learned about it." if by_data else "could not be judged."
        return (
            Strong("The data: "),
            Text(words.OUTCOMES[combine(results)]),
            Text(". "),
            Strong("The model: "),
            Text(model),
        )
    if "data" not in decision.change.kinds or not results or not decision.gates:
        return ()
    gates = [verdict.verdict for verdict in decision.gates if verdict.blocking]
    gates += [r.status for r in decision.checks if r.blocking and r.part is not Part.DATA]
    data, model = combine(results), combine(gates)
    aside = f", with {waived.count(story)} waived" if story.waivers and model is Outcome.PASSED else ""
    spans: Spans = (
        Strong("The data: "),
        Text(words.OUTCOMES[data]),
        Text(". "),
        Strong("The model: "),
        Text(words.OUTCOMES[model]),
        Text(f"{aside}."),
    )
    return (*spans, *_new_rows(story))


def _new_rows(story: Story) -> Spans:
    """What the champion, unchanged, does on rows it was not judged on: did the data move, or the model?"""
    evaluation = story.evidence.evaluation
    rows = evaluation.new_rows if evaluation else None
    if rows is None or evaluation is None:
        return ()
    pairs = ((one.metric, one.champion, rows.champion.get(one.metric)) for one in evaluation.metrics)
    metric, old, new = next((pair for pair in pairs if None not in pair), ("", None, None))
    if old is None or new is None:
        return ()
    places = numbers.apart(new, old, 3)
    return (
        Text(
            f" On the {numbers.count(rows.rows)} held-out rows it was not judged on, {story.champion}, unchanged, has "
        ),
        words.metric(metric),
        Text(f" {numbers.fixed(new, places)}; on all of them {numbers.fixed(old, places)}."),
    )


def _judge(story: Story) -> Spans:
    judge = story.decision.judge
    if judge.source == "head":
        return (
            Strong("Judged by its own rules: "),
            Text(f"{_why_own_rules(story)}, so the rules of this commit decide."),
        )
    if not judge.differences:
        return ()
    commit = Code(numbers.short(judge.commit))
    if judge.head_verdicts:
        told: Spans = (Text("the gates of "), commit, Text(" and those of this commit must both hold."))
    else:
        told = (Text("the rules of "), commit, Text(" decide, not those of this commit."))
    return (Strong("The judge changes: "), *told)


def _reported(story: Story) -> Spans:
    """What nobody but the branch itself stands for."""
    decision = story.decision
    if not decision.reported or decision.trust is Trust.DEFAULT_BRANCH:
        return ()
    return (
        Strong("As reported by this branch's code: "),
        Text(f"{'; '.join(decision.reported)}. All else was computed apart from it."),
    )


def _opened(story: Story) -> Spans:
    opened = story.decision.opened
    if not opened:
        return ()
    names: Spans = ()
    for login in opened.by:
        names += (Text(" and "), Code(f"@{login}")) if names else (Code(f"@{login}"),)
    return (Strong("Opened by "), *names, Text(", who approved this commit and may agree to what changes the judge."))


def _why_own_rules(story: Story) -> str:
    if not story.decision.base:
        return "there is nothing before it"
    return story.decision.judge.differences[0] if story.decision.judge.differences else "the base has no mlops.yaml"


def _dirty(story: Story) -> Spans:
    if not story.decision.subject.dirty:
        return ()
    return (
        Strong("Not recorded: "),
        Text("the working tree has uncommitted changes. Commit them and check again to get a decision that counts."),
    )


def _unprotected(story: Story) -> Spans:
    evidence = story.evidence
    if evidence.snapshot is None or evidence.training is None or evidence.snapshot.holdout_protected:
        return ()
    why = words.UNPROTECTED.get(evidence.training.rung, "Training could read the held-out rows")
    return (Strong("Holdout: not protected. "), Text(f"{why}."))


def _no_champion(story: Story) -> Spans:
    champion = story.decision.champion
    if champion is not None and champion.reason and story.evidence.evaluation is not None:
        return (Strong("Not compared in full: "), Text(champion.reason.rstrip(".")), Text("."))
    compares = any("champion." in verdict.gate for verdict in story.decision.gates)
    if champion is None and compares and story.evidence.evaluation is not None:
        return (Strong("No champion yet: "), Text("nothing has passed before, so gates that compare are skipped."))
    return ()


def _no_anchor(story: Story) -> Spans:
    anchor = story.decision.anchor
    if not anchor or not anchor.reason or story.evidence.evaluation is None:
        return ()
    return (Strong("Not compared in full with the anchor: "), Text(anchor.reason.rstrip(".")), Text("."))
