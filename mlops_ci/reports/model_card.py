"""The model card in a bundle: what the model is, what it was judged on and how well it did (Mitchell et al. 2019,
https://arxiv.org/abs/1810.03993), with the metadata of Hugging Face's cards (https://huggingface.co/docs/hub/model-cards).

Told of the candidate alone: the same commit gives the same card, whatever it was compared with.
"""

from __future__ import annotations

import json

import msgspec

from mlops_ci.config.yaml import scalar
from mlops_ci.records.bundles import Serving
from mlops_ci.records.decisions import Evidence, Subject
from mlops_ci.records.evaluation import Interval, MetricValue, SliceValue, Task
from mlops_ci.records.outcomes import Outcome
from mlops_ci.reports import markdown, numbers, words
from mlops_ci.reports.document import (
    Align,
    Block,
    Bullets,
    Code,
    Document,
    Heading,
    Paragraph,
    Section,
    Spans,
    Table,
    Text,
    plain,
)

_MOST_SLICES = 40
_MOST_INPUTS = 200
_SLICE_METRICS = ("accuracy", "recall", "precision", "recall_macro", "precision_macro", "mae", "rmse")
_PIPELINES = {
    Task.BINARY: "tabular-classification",
    Task.MULTICLASS: "tabular-classification",
    Task.REGRESSION: "tabular-regression",
}
_LIMIT = 1_000_000
_NO_USE: Spans = (Text("Not said: write it at "), Code("package.intended_use"), Text(" in mlops.yaml."))


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a card is told from. `evidence.evaluation` compares with nothing. `exported`: how the format was chosen."""

    serving: Serving
    evidence: Evidence
    subject: Subject
    intervals: dict[str, Interval]
    intended_use: str = ""
    exported: str = ""


def model_card(card: Card) -> str:
    """MODEL_CARD.md."""
    document = Document(
        project=card.serving.project,
        outcome=Outcome.PASSED,
        title=(Text(f"{card.serving.project}: model card"),),
        sections=(Section(name="card", keep=1, blocks=tuple(_blocks(card))),),
    )
    return _front_matter(card) + markdown.render(document, limit=_LIMIT)


def _front_matter(card: Card) -> str:
    evaluation = card.evidence.evaluation
    task = _PIPELINES[card.serving.task]
    lines = ["---", "library_name: mlops-ci", f"pipeline_tag: {task}", "tags:", f"- {card.serving.model.format}"]
    shown = [one for one in (evaluation.metrics if evaluation else ()) if one.value is not None]
    if shown:
        lines += ["model-index:", f"- name: {scalar(card.serving.project)}", "  results:", "  - task:"]
        lines += [
            f"      type: {task}",
            "    dataset:",
            "      name: held-out rows",
            "      type: tabular",
            "    metrics:",
        ]
        for one in shown:
            lines += [f"    - type: {scalar(one.metric)}", f"      value: {one.value:.6g}"]
    return "\n".join([*lines, "---", "", ""])


def _blocks(card: Card) -> list[Block]:
    return [
        *_model(card),
        Heading((Text("Intended use"),)),
        Paragraph((Text(card.intended_use),) if card.intended_use else _NO_USE),
        *_data(card),
        *_metrics(card),
        *_slices(card),
        *_limits(card),
        *_inputs(card),
    ]


def _divided(specification: str) -> Spans:
    """`Held out: 20 %, by a hash of` its ids, from a split's specification (data.split)."""
    rule = json.loads(specification)
    share = numbers.percent(rule["holdout"], 0) if "holdout" in rule else ""
    told = {
        "id": f"Held out: {share}, by a hash of ",
        "group": f"Held out: {share} of the groups, by a hash of ",
        "time": f"Held out: the last {share} by ",
        "column": "Held out: what the data say in ",
    }[rule["by"]]
    named = tuple(span for name in rule["columns"] for span in (Text(", "), Code(name)))[1:]
    return (Text(told), *(named or (Text("the whole row"),)))


def _model(card: Card) -> list[Block]:
    training = card.evidence.training
    told: list[Spans] = [(Text("Commit: "), Code(card.subject.commit[:12]), Text(f" {card.subject.commit_title}"))]
    if training is not None:
        seed = f", seed {training.seed}" if training.seed is not None else ""
        told.append((Text("Model: "), Code(training.model), Text(seed)))
        libraries = ", ".join(f"{name} {version}" for name, version in training.packages.items())
        told.append((Text(f"Trained with: {libraries or 'not known'}"),))
    told.append((Text(f"Packaged as: {card.serving.model.format}. {card.exported}".strip()),))
    return [Heading((Text("Model"),)), Bullets(tuple(told))]


def _data(card: Card) -> list[Block]:
    snapshot = card.evidence.snapshot
    if snapshot is None:
        return []
    rows = (
        f"{numbers.count(snapshot.rows)} rows: {numbers.count(snapshot.train_rows)} to train on, "
        f"{numbers.count(snapshot.holdout_rows)} held out"
    )
    protected = "" if snapshot.holdout_protected else ", which training could have read"
    told: list[Spans] = [(Text(f"{rows}{protected}."),), _divided(snapshot.split)]
    told += [
        (Code(one.path), Text(f", {numbers.size(one.bytes)}, sha256 "), Code(one.sha256)) for one in snapshot.sources
    ]
    return [Heading((Text("Data"),)), Bullets(tuple(told))]


def _metrics(card: Card) -> list[Block]:
    evaluation = card.evidence.evaluation
    if evaluation is None:
        return []
    rows = tuple(_metric(one, card.intervals.get(one.metric)) for one in evaluation.metrics if one.value is not None)
    head = ("metric", "value", "95 % below", "95 % above")
    align = (Align.LEFT, Align.RIGHT, Align.RIGHT, Align.RIGHT)
    about = f"On {numbers.count(evaluation.rows)} held-out rows; each bound is right with 95 % confidence by itself."
    return [Heading((Text("How well it does"),)), Paragraph((Text(about),)), Table(head=head, align=align, rows=rows)]


def _metric(one: MetricValue, interval: Interval | None) -> tuple[Spans, ...]:
    places = numbers.natural(one.value or 0.0)
    bounds = ("", "") if interval is None else (interval.low, interval.high)
    shown = [bound if isinstance(bound, str) else numbers.with_unit(bound, one.unit, places) for bound in bounds]
    cells = (numbers.with_unit(one.value, one.unit, places), *shown)
    return ((words.metric(one.metric),), *((Text(cell),) for cell in cells))


def _slices(card: Card) -> list[Block]:
    evaluation = card.evidence.evaluation
    cuts = tuple(cut for cut in evaluation.cuts if cut.column)[:_MOST_SLICES] if evaluation else ()
    names = [name for name in _SLICE_METRICS if any(cut.metrics.get(name) is not None for cut in cuts)][:3]
    if not cuts or not names:
        return []
    head = ("slice", "rows", *(plain((words.metric(name),)) for name in names))
    rows = tuple(_slice(cut, names) for cut in cuts)
    return [
        Heading((Text("By slice"),)),
        Table(head=head, align=(Align.LEFT, *(Align.RIGHT,) * (len(head) - 1)), rows=rows),
    ]


def _slice(cut: SliceValue, names: list[str]) -> tuple[Spans, ...]:
    values = [cut.metrics.get(name) for name in names]
    shown = [numbers.fixed(value, 3) for value in values]
    return ((Code(f"{cut.column}={cut.value}"),), (Text(numbers.count(cut.rows)),), *((Text(one),) for one in shown))


def _limits(card: Card) -> list[Block]:
    told: list[Spans] = [
        (Text("The numbers hold for rows like the held-out ones; of others nothing is known."),),
        (Text("What is asked for outside of the ranges and categories below is refused where they are stated."),),
    ]
    evaluation = card.evidence.evaluation
    if evaluation and evaluation.class_counts:
        rarest = min(zip(evaluation.class_counts, evaluation.classes, strict=True))
        told.append((Text(f"Rarest class in the held-out rows: {numbers.count(rarest[0])} of "), Code(rarest[1])))
    return [Heading((Text("Limits"),)), Bullets(tuple(told))]


def _inputs(card: Card) -> list[Block]:
    rows: list[tuple[Spans, ...]] = []
    for one in card.serving.inputs[:_MOST_INPUTS]:
        allowed = ""
        if one.minimum is not None or one.maximum is not None:
            low, high = ("" if bound is None else str(bound) for bound in (one.minimum, one.maximum))
            allowed = f"{low} to {high}".strip()
        elif one.categories is not None:
            allowed = numbers.plural(len(one.categories), "category", "categories")
        missing = "yes" if one.nullable else "no"
        rows.append(((Code(one.name),), (Text(str(one.kind)),), (Text(missing),), (Text(allowed),)))
    table = Table(head=("input", "kind", "may be missing", "allowed"), align=(Align.LEFT,) * 4, rows=tuple(rows))
    return [Heading((Text("Inputs"),)), table]
