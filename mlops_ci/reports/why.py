"""Why something runs somewhere: in a screenful for a terminal, on a page as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mlops_ci.records.chains import Chain, Link
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import (
    Bullets,
    CodeBlock,
    Document,
    Heading,
    Paragraph,
    Section,
    Spans,
    Strong,
    Text,
)

_KINDS = {DecisionKind.PROMOTION: "promoted", DecisionKind.ROLLBACK: "rolled back", DecisionKind.RELEASE: "released"}
_LONGEST = 8


class Fact(NamedTuple):
    """One thing that is known: what it is about, and what."""

    about: str
    told: str


def lines(chain: Chain) -> Iterator[str]:
    """For a terminal; texts are hostile still."""
    yield title(chain)
    for fact in facts(chain):
        yield f"  {fact.about:<12}{fact.told}"
    for told in chain.missing:
        yield f"  missing     {told}"
    yield from (f"  next        {command}" for command in commands(chain))


def page(chain: Chain) -> Document:
    """The dossier: one page that answers what runs, why, who agreed, on which data, and how to make it again."""
    sections = [
        Section(name=name, keep=100, blocks=(Heading((Text(name),)), Bullets(tuple(map(_item, found)))))
        for name, found in _parts(chain)
        if found
    ]
    if chain.missing:
        lacking: Spans = (Strong("Missing here: "), Text("; ".join(chain.missing)))
        sections.insert(0, Section(name="missing", keep=100, blocks=(Paragraph(lacking),)))
    again = Section(
        name="again", keep=90, blocks=(Heading((Text("Ask again, make again"),)), CodeBlock("\n".join(commands(chain))))
    )
    outcome = Outcome.ERRORED if chain.missing else Outcome.PASSED
    return Document(project=chain.project, outcome=outcome, title=(Text(title(chain)),), sections=(*sections, again))


def title(chain: Chain) -> str:
    """What runs where, or which release it is."""
    standing = chain.standing
    if standing is None or standing.since is None:
        return f"{chain.project} {chain.release.release}"
    return f"{chain.project}: {standing.name} runs {standing.release} since {_time(standing.since)}"


def commands(chain: Chain) -> tuple[str, ...]:
    """What to ask next."""
    about = chain.standing.name if chain.standing else chain.release.release
    more = (f"mlops-ci report {numbers.short(chain.moved.id)}",) if chain.moved else ()
    return (f"mlops-ci verify {about}", f"mlops-ci reproduce {chain.release.release}", *more)


def facts(chain: Chain) -> tuple[Fact, ...]:
    """All that is known, from the file down to the training run."""
    return tuple(fact for _, found in _parts(chain) for fact in found)


def _parts(chain: Chain) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    return (
        ("What runs", tuple(_file(chain))),
        ("Who decided, by which rules", tuple(_moved(chain.moved))),
        ("The release", tuple(_release(chain))),
        ("Its model", tuple(_judged(chain.judged))),
        ("Made from", tuple(_made_from(chain))),
    )


def _file(chain: Chain) -> Iterator[Fact]:
    commit, standing = chain.commit, chain.standing
    if commit is None or standing is None:
        return
    yield Fact("file", f"{chain.file} at {commit.commit[:7]}, by {commit.by}: {commit.title}")
    for kept in standing.quarantine:
        yield Fact("not again", f"{kept.release}, rolled back by {kept.by}: {kept.reason}")


def _moved(link: Link | None) -> Iterator[Fact]:
    if link is None:
        return
    decision, move = link.decision, link.evidence.move or None
    at = f" at {move.at}" if move else ""
    yield Fact(
        "decision",
        f"{link.id[:12]} {_KINDS.get(decision.kind, decision.kind)}{at}, trust {decision.trust}: {decision.reason}",
    )
    held = [one.check for one in decision.checks if one.status is Status.PASSED]
    unset = [one.check for one in decision.checks if one.status is Status.SKIPPED]
    yield Fact(
        "rules",
        f"{', '.join(held) or 'none'} {'holds' if len(held) == 1 else 'hold'}"
        + (f"; not asked: {', '.join(unset)}" if unset else ""),
    )
    yield from _gates(decision.gates)


def _release(chain: Chain) -> Iterator[Fact]:
    release, made = chain.release, chain.made
    bundle = (made.evidence.bundle or None) if made else None
    what = f", {bundle.format}, {numbers.size(bundle.bytes)}" if bundle else ""
    yield Fact("release", f"{release.release}, bundle {release.bundle[:12]}{what}, by decision {release.decision[:12]}")
    if release.imported:
        yield Fact("imported", f"from {release.imported}: no gate judged it")
    if release.image:
        yield Fact("image", release.image)
    if release.signature:
        yield Fact("signed by", f"key {release.signature.key[:12]}")


def _judged(link: Link | None) -> Iterator[Fact]:
    if link is None:
        return
    decision, word = link.decision, words.OUTCOMES[link.decision.outcome]
    rules = numbers.short(decision.judge.digest)
    yield Fact("judged", f"{link.id[:12]} {word}, trust {decision.trust}, rules {rules}")
    yield from _gates(decision.numbered_gates)
    if decision.opened:
        yield Fact("opened by", ", ".join(decision.opened.by))


def _gates(verdicts: tuple[Verdict, ...]) -> Iterator[Fact]:
    for one in verdicts[:_LONGEST]:
        answer = words.status(one.verdict)
        sign = answer.symbol
        yield Fact("gate", f"{sign} {one.gate}  {_number(one)}{_waived(one)}".rstrip())
    if len(verdicts) > _LONGEST:
        yield Fact("gates", f"{len(verdicts) - _LONGEST} more")


def _number(verdict: Verdict) -> str:
    if verdict.observed is None:
        return verdict.reason
    value = numbers.with_unit(verdict.observed, verdict.unit)
    return value if verdict.low is None or verdict.high is None else f"{value} [{verdict.low:.4g}, {verdict.high:.4g}]"


def _waived(verdict: Verdict) -> str:
    return f", waived by {verdict.waived.owner} until {verdict.waived.until}" if verdict.waived else ""


def _made_from(chain: Chain) -> Iterator[Fact]:
    link = chain.judged or chain.made
    if link is None:
        return
    subject, evidence = link.decision.subject, link.evidence
    if data := evidence.snapshot:
        files = ", ".join(one.path for one in data.sources[:_LONGEST])
        rows = f"{data.rows:,} rows ({data.train_rows:,} to train, {data.holdout_rows:,} held out)"
        yield Fact("data", f"{data.digest[:12]}: {rows} from {files}")
    yield Fact("code", f"commit {subject.commit[:12]} of {_time(subject.commit_time)}: {subject.commit_title}")
    yield Fact("parameters", subject.params[:12] or "none")
    yield Fact("environment", f"locked, {subject.environment[:12]}" if subject.environment else "not locked")
    if training := evidence.training:
        seed = "" if training.seed is None else f", seed {training.seed}"
        yield Fact(
            "training", f"{training.model}{seed}, {numbers.plural(len(training.features), 'feature')}{_run(link)}"
        )


def _run(link: Link) -> str:
    run = link.run
    if run is None:
        return ""
    took = f", {numbers.duration(run.training_seconds)}" if run.training_seconds else ""
    mlflow = f", MLflow run {run.mlflow_run}" if run.mlflow_run else ""
    return f"{took}, Python {run.python}, on {run.host} at {run.started}{mlflow}"


def _item(fact: Fact) -> Spans:
    return (Strong(f"{fact.about}: "), Text(fact.told))


def _time(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC" if text else "an unknown time"
