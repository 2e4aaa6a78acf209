"""What becomes of a bundle: does it, by itself, answer as the judged model did; its image, its place, its number."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.edge import runtime
from mlops_ci.edge.git import Repository
from mlops_ci.errors import OutsideError
from mlops_ci.ledger.entries import Entry
from mlops_ci.records.decisions import Decision, Evidence, Trust
from mlops_ci.records.images import Image
from mlops_ci.records.outcomes import Status
from mlops_ci.records.releases import BundleInfo, ImageInfo, Release
from mlops_ci.records.results import Part, Result
from mlops_ci.reports import numbers
from mlops_ci.reports.story import Story
from mlops_ci.steps import image, ledger, stores
from mlops_ci.steps.bundle import Bundle
from mlops_ci.steps.case import Case
from mlops_ci.steps.export import Exported
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.project import Project
from mlops_ci.steps.publish import bring_in, publish
from mlops_ci.steps.release_before import compared
from mlops_ci.steps.release_decision import Candidate, Passed, entry_of, errored_story, story_of
from mlops_ci.steps.releases import of_bundle, record_release

replace = msgspec.structs.replace


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a release is asked for. `push`: image and ledger go to their remotes. `network`: of the image's build."""

    push: bool = False
    network: str | None = None


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `release`."""

    story: Story
    place: Path
    """Of the bundle: in the store, or where it was made when it did not become a release."""
    already: bool = False

    @property
    def decision(self) -> Decision:
        return self.story.decision

    @property
    def bundle(self) -> BundleInfo:
        return _bundle(self.story.evidence)

    @property
    def image(self) -> str:
        """The pushed image by its digest, or empty."""
        made = self.story.evidence.image or None
        return made.reference if made else ""

    def document(self) -> dict[str, object]:
        """The answer of `release --json`."""
        return {
            "release": self.bundle.release or None,
            "digest": self.bundle.digest,
            "bundle": str(self.place),
            "image": self.image or None,
            "decision": self.story.decision_id,
            "outcome": self.decision.outcome,
        }


def answers_as_judged(bundle: Bundle, clock: Clock) -> tuple[Result, ...]:
    """The bundle in an environment and a process of its own, made from nothing but what lies in it."""
    python = runtime.python_for(bundle.folder, lambda text: clock.say("load", text))
    found = runtime.conforms(bundle.folder, python)
    good = f"loaded in a process of its own it gives the judged answers to {found.golden} golden requests"
    agrees = found.error is None and found.fingerprint == bundle.golden.fingerprint
    behaves, judged = (one[:12] for one in (found.fingerprint, bundle.golden.fingerprint))
    bad = found.error.message if found.error else f"its fingerprint is {behaves}, the judged model's {judged}"
    return (_result("bundle_answers", good if agrees else bad, passed=agrees),)


def describe(bundle: Bundle, exported: Exported, decision: str) -> BundleInfo:
    """What is recorded of a bundle. `decision`: the one that passed its model."""
    return BundleInfo(
        digest=bundle.digest,
        format=exported.answer.format,
        bytes=bundle.bytes,
        files=bundle.files,
        fingerprint=bundle.golden.fingerprint,
        tried=exported.answer.tried,
        parity=exported.answer.parity,
        decision=decision,
    )


def write_release(candidate: Candidate, clock: Clock, wish: Wish) -> Released:
    """The image where one is wanted, the store, the next number; the same again is the release it was."""
    repository = candidate.case.project.repository
    if wish.push:
        stores.require_lasting(candidate.case.project)
        bring_in(repository)
    if not candidate.refused and (before := _before(candidate, wish)):
        if wish.push:
            publish(repository, [])
        return _again(repository, before, _stored(candidate, clock))
    made = None
    if _wants_image(candidate) and not candidate.refused:
        made = _image(candidate, clock, wish)
        candidate = replace(candidate, image=_told(made), results=(*candidate.results, _tried(made, candidate)))
    if candidate.refused:
        return _refused(candidate, clock, wish)
    place = _stored(candidate, clock)
    released = _numbered(candidate, place, clock, wish)
    if made and made.pushed and not released.already:
        image.tag(made, released.bundle.release, clock)
    return released


def write_errored(case: Case, passed: Passed, reason: str, clock: Clock) -> Story:
    """The decision where no bundle came to be, in the remote's ledger."""
    story = errored_story(case, passed, reason)
    publish(case.project.repository, [entry_of(story, clock)])
    return story


def _numbered(candidate: Candidate, place: Path, clock: Clock, wish: Wish) -> Released:
    repository, name = candidate.case.project.repository, candidate.case.head.config.project
    told: dict[int, Story] = {}

    def entry(number: int) -> Entry | None:
        if _before(candidate, wish):  # somebody else released the same bundle meanwhile
            return None
        told[number] = story_of(compared(candidate).numbered(number))
        return entry_of(told[number], clock)

    made = record_release(repository, name, entry, push=wish.push)
    if made is None and (before := _before(candidate, wish)):
        return _again(repository, before, place)
    return Released(story=told[max(told)], place=place)


def _refused(candidate: Candidate, clock: Clock, wish: Wish) -> Released:
    repository, story = candidate.case.project.repository, story_of(candidate)
    if wish.push:
        publish(repository, [entry_of(story, clock)])
    else:
        ledger.record(repository, entry_of(story, clock))
    return Released(story=story, place=candidate.bundle.folder)


def _before(candidate: Candidate, wish: Wish) -> Release | None:
    """The release that it is already: with its image where that is pushed too."""
    name = candidate.case.head.config.project
    wants = wish.push and _wants_image(candidate)
    return of_bundle(candidate.case.project.repository, name, candidate.info.digest, image=wants)


def _wants_image(candidate: Candidate) -> bool:
    """Its smoke test loads the model: on the default branch's behalf only what cannot run code."""
    safe = candidate.info.format == "onnx" or candidate.case.trust is Trust.DESK
    return safe and candidate.case.head.config.package.image is not None


def _again(repository: Repository, release: Release, place: Path) -> Released:
    stored = ledger.find(repository, release.decision)
    story = Story(decision=stored.decision, decision_id=stored.id, evidence=stored.evidence)
    return Released(story=story, place=place, already=True)


def _stored(candidate: Candidate, clock: Clock) -> Path:
    case, bundle = candidate.case, candidate.bundle
    with clock.step("store", "putting the bundle into the store") as line:
        place, store = stores.keep(case.project, bundle.folder, bundle.digest, lambda text: clock.say("store", text))
        line.found = f"{numbers.size(bundle.bytes)}, read back from {store}"
    return place


def _image(candidate: Candidate, clock: Clock, wish: Wish) -> Image:
    """Of the bundle alone: which number it gets is not known before its digest is."""
    case, folder = candidate.case, candidate.bundle.folder
    project: Project = replace(case.project, root=case.head.root, config=case.head.config)
    names = replace(image.names_of(project, folder), release="", decision="")
    recipe = image.recipe_of(project, folder, names, wish.network)
    return image.make_image(recipe, clock, memory=case.head.config.package.memory, push=wish.push)


def _told(made: Image) -> ImageInfo:
    return ImageInfo(
        reference=made.pushed.reference if made.pushed else "",
        base=made.base,
        fingerprint=made.smoke.fingerprint,
        bytes=made.built.bytes,
        layers=made.built.layers,
        sizes=made.built.sizes or msgspec.UNSET,
    )


def _tried(made: Image, candidate: Candidate) -> Result:
    good = (
        f"in a container without network and a writable root it gives the judged answers to {made.smoke.rows} golden "
        f"requests within {candidate.case.head.config.package.memory} MiB"
    )
    return _result("image_answers", good if made.smoke.ok else made.smoke.reason, passed=made.smoke.ok)


def _result(check: str, message: str, *, passed: bool) -> Result:
    return Result(check=check, part=Part.MODEL, status=Status.PASSED if passed else Status.FAILED, message=message)


def _bundle(evidence: Evidence) -> BundleInfo:
    if evidence.bundle is msgspec.UNSET:
        raise OutsideError("the ledger names a decision that made no release", "Was the branch edited by hand?")
    return evidence.bundle
