"""What becomes of a bundle: does it, by itself, answer as the judged model did; its image, its place, its number."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.edge import runtime
from mlops_ci.edge.git import Repository
from mlops_ci.edge.weights import weights
from mlops_ci.errors import OutsideError
from mlops_ci.ledger.entries import Entry
from mlops_ci.records.decisions import Decision, Evidence
from mlops_ci.records.images import Image
from mlops_ci.records.releases import BundleInfo, Installed, Release
from mlops_ci.reports import numbers
from mlops_ci.reports.story import Story
from mlops_ci.steps import image, ledger, release_gates, release_images, signatures, stores
from mlops_ci.steps.bundle import Bundle
from mlops_ci.steps.case import Case
from mlops_ci.steps.export import Exported
from mlops_ci.steps.progress import Clock
from mlops_ci.steps.publish import bring_in, publish
from mlops_ci.steps.release_before import compared
from mlops_ci.steps.release_decision import Candidate, Passed, entry_of, errored_story, references, story_of
from mlops_ci.steps.release_items import with_items
from mlops_ci.steps.releases import of_bundle, record_release
from mlops_ci.steps.signatures import Signer
from mlops_ci.steps.trust import require_signer

_LARGEST = 5
replace = msgspec.structs.replace


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a release is asked for. `push`: image and ledger go to their remotes. `network`: of the image's build.

    `signer`: who signs the bundle; None: nobody.
    """

    push: bool = False
    network: str | None = None
    signer: Signer | None = None


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
        """The pushed image of the server by its digest, or empty."""
        return self.images.get("docker", "")

    @property
    def images(self) -> dict[str, str]:
        """Target -> pushed image by its digest."""
        return references(self.story.evidence)

    def document(self) -> dict[str, object]:
        """The answer of `release --json`."""
        return {
            "release": self.bundle.release or None,
            "digest": self.bundle.digest,
            "bundle": str(self.place),
            "image": self.image or None,
            "images": self.images,
            "signature": msgspec.to_builtins(self.bundle.signature) if self.bundle.signature else None,
            "predictions": self.story.evidence.rows.digest if self.story.evidence.rows else None,
            "snapshot": self.story.evidence.table.digest if self.story.evidence.table else None,
            "decision": self.story.decision_id,
            "outcome": self.decision.outcome,
        }


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
        installed=_installed(bundle) if exported.answer.format != "onnx" else msgspec.UNSET,
        imports=exported.imports or msgspec.UNSET,
    )


def _installed(bundle: Bundle) -> Installed:
    """In the environment it was loaded in before."""
    found = weights(runtime.python_for(bundle.folder, lambda _: None))
    largest = sorted(found.items(), key=lambda each: (-each[1], each[0]))[:_LARGEST]
    return Installed(libraries=len(found), bytes=sum(found.values()), largest=tuple(largest))


def write_release(candidate: Candidate, clock: Clock, wish: Wish) -> Released:
    """The signature and the image where they are wanted, the store, the next number.

    The same again is the release it was. Signed is what its gates let through, before its image, which holds the
    signature; what is refused after that is recorded without.
    """
    repository, by, head = candidate.case.project.repository, wish.signer, candidate.case.head
    require_signer(head.root, head.config, by, lambda text: clock.say("sign", text))
    candidate = candidate.signed_as(None)
    if wish.push:
        stores.require_lasting(candidate.case.project)
        bring_in(repository)
    if not candidate.refused and (before := _before(candidate, wish)):
        if wish.push:
            publish(repository, [])
        with_items(candidate, clock)
        return _again(repository, before, _stored(_signed(candidate, by, clock), clock))
    made: tuple[Image, ...] = ()
    if not candidate.refused:
        candidate = _signed(release_gates.of_bundle(candidate), by, clock)
    if release_images.wanted(candidate) and not candidate.refused:
        made = release_images.make(candidate, clock, push=wish.push, network=wish.network)
        candidate = release_images.with_images(candidate, made)
    if not candidate.refused:
        candidate = release_gates.of_image(candidate)
    if candidate.refused:
        return _refused(candidate.signed_as(None), clock, wish)
    candidate, place = with_items(candidate, clock), _stored(candidate, clock)
    released = _numbered(candidate, place, clock, wish)
    for one in made:
        if one.pushed and not released.already:
            image.tag(one, released.bundle.release, clock)
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
    """The release that it is already: with its images where these are pushed too."""
    name = candidate.case.head.config.project
    wants = release_images.wanted(candidate) if wish.push else ()
    key = wish.signer.key if wish.signer else ""
    return of_bundle(candidate.case.project.repository, name, candidate.info.digest, images=wants, key=key)


def _again(repository: Repository, release: Release, place: Path) -> Released:
    stored = ledger.find(repository, release.decision)
    story = Story(decision=stored.decision, decision_id=stored.id, evidence=stored.evidence)
    return Released(story=story, place=place, already=True)


def _stored(candidate: Candidate, clock: Clock) -> Path:
    case, bundle = candidate.case, candidate.bundle
    with clock.step("store", "putting the bundle into the store") as line:
        place, store = stores.keep(case.project, bundle.folder, bundle.digest, lambda text: clock.say("store", text))
        if candidate.signed:
            signatures.keep(case.project, candidate.signed, lambda text: clock.say("store", text))
            signatures.lay(case.project, place, candidate.signed.record, lambda text: clock.say("store", text))
        line.found = f"{numbers.size(bundle.bytes)}, read back from {store}"
    return place


def _signed(candidate: Candidate, by: Signer | None, clock: Clock) -> Candidate:
    if by is None or candidate.refused:
        return candidate
    with clock.step("sign", "signing the bundle") as line:
        signed = signatures.sign(candidate.bundle.folder, by, lambda text: clock.say("sign", text))
        line.found = f"by key {numbers.short(by.key)}"
    return candidate.signed_as(signed)


def _bundle(evidence: Evidence) -> BundleInfo:
    if evidence.bundle is msgspec.UNSET:
        raise OutsideError("the ledger names a decision that made no release", "Was the branch edited by hand?")
    return evidence.bundle
