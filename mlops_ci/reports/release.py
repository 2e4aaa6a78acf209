"""The report of a release: what is in the bundle, how its format was chosen, and that it answers as it was judged."""

from __future__ import annotations

from mlops_ci.records.decisions import Evidence, Trust
from mlops_ci.records.outcomes import Outcome
from mlops_ci.records.releases import BundleInfo, ImageInfo, Parity
from mlops_ci.records.results import Result
from mlops_ci.records.stores import StoredItem
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports import numbers, words
from mlops_ci.reports.document import (
    Align,
    Block,
    Bullets,
    Code,
    CodeBlock,
    Details,
    Document,
    Heading,
    Paragraph,
    Section,
    Spans,
    Strong,
    Table,
    Text,
)
from mlops_ci.reports.sections import provenance, since
from mlops_ci.reports.story import Story

_RUN_CODE = ("pickle", "pyfunc")
_LARGEST = 5


def build(story: Story) -> Document:
    """The whole report. Depends on nothing but the story: the same story gives the same document."""
    bundle = story.evidence.bundle or None
    sections = (
        Section(name="reported", keep=100, blocks=_reported(story)),
        Section(name="checks", keep=100, blocks=_checks(story)),
        Section(name="gates", keep=95, blocks=_gates(story)),
        Section(name="bundle", keep=90, blocks=_bundle(bundle, story.evidence) if bundle else ()),
        Section(name="image", keep=85, blocks=_images(story.evidence)),
        Section(name="since", keep=82, blocks=since.section(story)),
        Section(name="format", keep=80, blocks=_format(bundle) if bundle else ()),
        Section(name="next", keep=70, blocks=_next(story)),
        Section(name="provenance", keep=50, blocks=provenance.section(story)),
    )
    return Document(
        project=story.decision.project,
        outcome=story.decision.outcome,
        title=_title(story),
        sections=tuple(section for section in sections if section.blocks),
    )


def _title(story: Story) -> Spans:
    decision = story.decision
    word = "released" if decision.outcome is Outcome.PASSED else "not released"
    return (Text(f"{decision.project}: "), Strong(word), Text(f". {words.begun(decision.reason)}"))


def _reported(story: Story) -> tuple[Block, ...]:
    """What nobody but the job that made the bundle has seen."""
    told = story.decision.reported or ()
    if not told:
        return ()
    said = f"{'; '.join(told)}. All else was found out apart from it."
    return (Paragraph((Strong("As the job that packaged it says: "), Text(said))),)


def _checks(story: Story) -> tuple[Block, ...]:
    rows = tuple(_check(result) for result in story.decision.checks)
    if not rows:
        return ()
    return (Table(head=("check", "", "found"), align=(Align.LEFT,) * 3, rows=rows, caption="Checks"),)


def _gates(story: Story) -> tuple[Block, ...]:
    """Of what only a release has: its numbers are measured here, and nobody can find them again from evidence."""
    rows = tuple(
        ((Code(one.gate),), (words.answer(one),), (Text(one.reason),), (Text(_told(story, one)),))
        for one in story.decision.gates
    )
    if not rows:
        return ()
    head = ("gate", "", "found", "measured")
    return (Table(head=head, align=(Align.LEFT,) * 4, rows=rows, caption="Gates of the release"),)


def _told(story: Story, verdict: Verdict) -> str:
    notes = story.evidence.fact_notes or {}
    return "; ".join(note.told for name, note in notes.items() if name in verdict.gate)


def _check(result: Result) -> tuple[Spans, ...]:
    return ((Code(result.check),), (words.answer(result),), (Text(result.message),))


def _bundle(bundle: BundleInfo, evidence: Evidence) -> tuple[Block, ...]:
    told: list[Spans] = [
        (Text("Bundle "), Code(bundle.digest), Text(f": {numbers.plural(bundle.files, 'file')}, {_size(bundle)}")),
        (Text("Judged by decision "), Code(numbers.short(bundle.decision))),
        (Text("Behavioural fingerprint "), Code(numbers.short(bundle.fingerprint))),
        _signed(bundle),
        *_opened(bundle),
        *_stored("The rows it was judged on, ids as keyed digests:", evidence.rows or None),
        *_stored("Its prepared table:", evidence.table or None),
    ]
    return (Heading((Text("Bundle"),)), Bullets(tuple(told)), *_runs(bundle))


def _signed(bundle: BundleInfo) -> Spans:
    if not bundle.signature:
        return (Text("Not signed"),)
    return (Text("Signed by key "), Code(numbers.short(bundle.signature.key)))


def _opened(bundle: BundleInfo) -> list[Spans]:
    """What opening it takes, and what it may do."""
    told: list[Spans] = []
    if found := bundle.installed or None:
        most = ", ".join(f"{name} {numbers.size(size)}" for name, size in found.largest[:_LARGEST])
        needed = f"{numbers.plural(found.libraries, 'library', 'libraries')}, {numbers.size(found.bytes)}"
        told.append((Text(f"Serving it needs {needed}; those that weigh most: {most}"),))
    if bundle.format in _RUN_CODE:
        told.append((Strong("Opening it runs code"), Text(", as "), Code("package.format"), Text(" allows")))
    return told


def _runs(bundle: BundleInfo) -> tuple[Block, ...]:
    """What a pickle takes from modules, where it may call it: names that whoever made it chose."""
    if not bundle.imports:
        return ()
    told = Text(f"{numbers.plural(len(bundle.imports), 'name')} it takes from modules, read without opening it")
    return (Details((Strong("What opening it runs: "), told), (Bullets(tuple((Code(x),) for x in bundle.imports)),)),)


def _stored(what: str, item: StoredItem | None) -> list[Spans]:
    if item is None:
        return []
    return [(Text(f"{what} "), Code(numbers.short(item.digest)), Text(f" in the store, {numbers.size(item.bytes)}"))]


def _images(evidence: Evidence) -> tuple[Block, ...]:
    others = evidence.images or {}
    blocks = _image("Image", evidence.image) if evidence.image else ()
    return sum((_image(f"Image for {target}", image) for target, image in others.items()), blocks)


def _image(heading: str, image: ImageInfo) -> tuple[Block, ...]:
    named = (Text("Pushed as "), Code(image.reference)) if image.reference else (Text("Built, and not pushed"),)
    told: list[Spans] = [
        (*named, Text(f": {numbers.plural(len(image.layers), 'layer')}, {numbers.size(image.bytes)} unpacked")),
        *([(Text("On "), Code(image.base))] if image.base else []),
        *_layers(image),
        (Text("Behavioural fingerprint "), Code(numbers.short(image.fingerprint))),
    ]
    return (Heading((Text(heading),)), Bullets(tuple(told)))


def _layers(image: ImageInfo) -> list[Spans]:
    """Of the whole image, as pulled: the base's layers first, the model's last."""
    if not image.sizes:
        return []
    return [(Text(f"Its layers, the base's first: {', '.join(numbers.size(size) for size in image.sizes)}"),)]


def _size(bundle: BundleInfo) -> str:
    return numbers.size(bundle.bytes)


def _format(bundle: BundleInfo) -> tuple[Block, ...]:
    rows = tuple(((Code(one.format),), (Text(one.outcome),), (Text(one.reason),)) for one in bundle.tried)
    table = Table(head=("format", "outcome", "why"), align=(Align.LEFT,) * 3, rows=rows, caption="Formats")
    summary = (Strong("Format: "), Text(f"{bundle.format}; {parity(bundle.parity)}"))
    return (Details(summary, (table, *_hunted(bundle.parity))),)


def parity(found: Parity) -> str:
    """How far the packaged model is from the judged one, in words."""
    labels = "every label equal" if not found.labels_differ else f"{numbers.count(found.labels_differ)} labels differ"
    return (
        f"on {numbers.plural(found.rows, 'held-out row')} {labels}, largest difference "
        f"{found.largest_difference:.1g} (allowed {found.tolerance:.1g})"
    )


def _hunted(found: Parity) -> tuple[Block, ...]:
    """The rows made to part the two, and what no held-out row can show."""
    told: list[Spans] = []
    if found.hunted:
        rows = ", ".join(f"{numbers.count(rows)} {what}" for what, rows in found.hunted.items())
        told.append((Text(f"Also asked about rows made to part the two: {rows}."),))
    told += [(Code(one.column), Text(f" = {one.value!r} falls on the other side in 32 bits.")) for one in found.effects]
    rest = found.effect_count - len(found.effects)
    if rest > 0:
        told.append((Text(f"{numbers.plural(rest, 'more such value')}, none among the held-out rows."),))
    told += [(Text(f"Not asked, as the model itself refuses it: {what}."),) for what in found.not_asked]
    return (Bullets(tuple(told)),) if told else ()


def _next(story: Story) -> tuple[Block, ...]:
    bundle = story.evidence.bundle or None
    if bundle is not None and bundle.number:
        return (Paragraph((Text("Ask it at your desk:"),)), CodeBlock(f"mlops-ci serve {bundle.release}"))
    if story.decision.trust is not Trust.DEFAULT_BRANCH:
        return ()
    told = "It is not tried again by itself: once the reason is gone, start the workflow mlops release by hand."
    return (Paragraph((Text(told),)),)
