"""Where every number comes from: digests, seed, environment, looks, the judge, trust."""

from __future__ import annotations

from mlops_ci.records.decisions import Trust
from mlops_ci.reports import numbers, uses
from mlops_ci.reports.document import Block, Bullets, Code, Details, Spans, Strong, Text
from mlops_ci.reports.story import Story

_TRUST = {
    Trust.DESK: "made at a desk",
    Trust.FORK: "made on a fork, predictions as reported by its code",
    Trust.PULL_REQUEST: "made on a pull request, predictions as reported by this branch's code",
    Trust.DEFAULT_BRANCH: "made on the default branch",
}


def section(story: Story) -> tuple[Block, ...]:
    parts = (_data, _holdout, _model, _environment, _judge, _opened, _reported, _decision)
    items = (part(story) for part in parts)
    told = Bullets(tuple(item for item in items if item))
    return (Details((Strong("Provenance: "), Text(_headline(story))), (told,)),)


def _headline(story: Story) -> str:
    evidence = story.evidence
    used = f" · this test set was {uses.used(evidence)}" if evidence.looks else ""
    return f"{_TRUST[story.decision.trust]}{used} · mlops-ci {story.decision.judge.version}"


def _data(story: Story) -> Spans:
    snapshot = story.evidence.snapshot
    if snapshot is None:
        return ()
    files = numbers.plural(len(snapshot.sources), "file")
    size = numbers.size(sum(source.bytes for source in snapshot.sources))
    return (
        Text("data "),
        Code(numbers.short(snapshot.digest)),
        Text(f" from {files}, {size}; split "),
        Code(snapshot.split),
    )


def _holdout(story: Story) -> Spans:
    evidence = story.evidence
    if not evidence.holdout:
        return ()
    guarded = evidence.snapshot is None or evidence.snapshot.holdout_protected
    word = "training could not read it" if guarded else "holdout: not protected"
    return (
        Text("test set "),
        Code(numbers.short(evidence.holdout)),
        Text(f", {uses.used(evidence)}{'; ' + uses.holds(evidence.promise) if evidence.promise else ''}; {word}"),
    )


def _model(story: Story) -> Spans:
    training = story.evidence.training
    if training is None:
        return ()
    spans: Spans = (Text("model "), Code(training.model))
    if training.seed is not None:
        spans += (Text(f", seed {training.seed}"),)
    spans += (Text(f", {numbers.plural(len(training.features), 'feature')}"),)
    if training.bytes is not None:
        spans += (Text(f", {numbers.size(training.bytes)}"),)
    if story.decision.subject.params:
        spans += (Text("; parameters "), Code(numbers.short(story.decision.subject.params)))
    return spans


def _environment(story: Story) -> Spans:
    digest = story.decision.subject.environment
    if not digest:
        return (Text("environment not locked: another day may give other numbers"),)
    return (Text("environment locked, "), Code(numbers.short(digest)))


def _judge(story: Story) -> Spans:
    judge = story.decision.judge
    whose = "the base's rules" if judge.source == "base" else "this commit's own rules"
    commit = judge.commit or story.decision.subject.commit
    at: Spans = (Text(" at "), Code(numbers.short(commit))) if commit else ()
    return (
        Text(f"judged by {whose}"),
        *at,
        Text(", rules "),
        Code(numbers.short(judge.digest)),
        Text(f", mlops-ci {judge.version}"),
    )


def _opened(story: Story) -> Spans:
    opened = story.decision.opened
    if not opened:
        return ()
    return (Text(f"a change of the judge opened by {', '.join(opened.by)} for "), Code(numbers.short(opened.commit)))


def _reported(story: Story) -> Spans:
    reported = story.decision.reported
    return (Text(f"as the code of the commit reports it: {'; '.join(reported)}"),) if reported else ()


def _decision(story: Story) -> Spans:
    spans: Spans = (
        Text("decision "),
        Code(story.short_id),
        Text(", tree "),
        Code(numbers.short(story.decision.subject.tree)),
    )
    if story.decision.base:
        spans += (Text(", base "), Code(numbers.short(story.decision.base)))
    return spans
