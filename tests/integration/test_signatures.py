"""Signatures in the store: laid beside their bundles, fetched elsewhere, and never another than the release says."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from mlops_ci.edge import archives, signing
from mlops_ci.edge.git import Repository
from mlops_ci.edge.stores import folder
from mlops_ci.errors import ExitCode, MlopsCiError, OutsideError, UsageError
from mlops_ci.flows.prune import prune
from mlops_ci.packaging import manifest
from mlops_ci.records.releases import Signature
from mlops_ci.steps import ledger, releases, signatures, stores
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.progress import Clock, Silent
from mlops_ci.steps.project import Project, open_project
from mlops_ci.steps.prune import Rule
from mlops_ci.steps.signatures import Signed, Signer
from tests import serving_bundles, signing_keys
from tests.github.fake import FakeGitHub
from tests.helpers import bare, git, repo, tree
from tests.integration.test_releases import SETTINGS, entry
from tests.serving_bundles import sealed
from tests.signing_keys import Pair

if TYPE_CHECKING:
    from collections.abc import Callable


def say(text: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    place = tmp_path_factory.mktemp("keys")
    return signing_keys.pair(place, "ours"), signing_keys.pair(place, "theirs")


@pytest.fixture(scope="module")
def ours(keys: tuple[Pair, Pair]) -> Pair:
    return keys[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("made") / "rents", serving_bundles.regression())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repo(tmp_path / "r", {"mlops.yaml": SETTINGS, ".gitignore": ".mlops-ci/\n"})


def digest_of(bundle: Path) -> str:
    return manifest.digest((bundle / manifest.NAME).read_bytes())


def signed(bundle: Path, key: Pair) -> Signed:
    return signatures.sign(bundle, Signer(key.private, signing.fingerprint("private", key.private, say)), say)


def released(
    root: Path, bundle: Path, number: int, signature: Signed | None, *, record: Signature | None = None
) -> str:
    """In the store and the ledger; `record`: what the ledger says of the signature, where that is something else."""
    project, digest = open_project(root), digest_of(bundle)
    stores.keep(project, bundle, digest, say)
    if signature:
        signatures.keep(project, signature, say)
    written = entry(number, digest)
    assert written.release
    kept = record or (signature.record if signature else msgspec.UNSET)
    release = msgspec.structs.replace(written.release, signature=kept)
    ledger.record(Repository.open(root), msgspec.structs.replace(written, release=release))
    return digest


def test_the_same_bundle_and_key_give_the_same_signature_and_the_bundle_stays_as_it_is(
    made: Path, keys: tuple[Pair, Pair]
) -> None:
    before = digest_of(made), sorted(path.name for path in made.iterdir())
    one, again, other = signed(made, keys[0]), signed(made, keys[0]), signed(made, keys[1])
    assert one == again
    assert one.record.digest == hashlib.sha256(one.content).hexdigest()
    assert one.record.key == signing.fingerprint("public", keys[0].public, say)
    assert one.record.key != other.record.key
    assert (digest_of(made), sorted(path.name for path in made.iterdir())) == before


def test_a_signature_is_laid_beside_its_bundle_and_is_no_part_of_it(
    root: Path, made: Path, keys: tuple[Pair, Pair]
) -> None:
    unsigned, one, other = None, signed(made, keys[0]), signed(made, keys[1])
    digest = released(root, made, 1, unsigned)
    assert not (find_bundle(root, "v1", say).folder / "model.sig").exists()
    released(root, made, 2, one)
    released(root, made, 3, other)
    for name, by, key in (("v3", other, keys[1]), ("v2", one, keys[0])):
        bundle = find_bundle(root, name, say).folder
        assert (bundle / "model.sig").read_bytes() == by.content
        assert signing.problem(bundle, key.public, say) == ""
        assert folder.damage(bundle, digest, signed=True) == ""
        assert folder.damage(bundle, digest) == "model.sig is not listed"
    assert f"it was made with the key '{one.record.key}'" in signing.problem(bundle, keys[1].public, say)
    found = releases.of_bundle(Repository.open(root), "flights", digest, key=one.record.key)
    assert found
    assert found.release == "v2"
    assert releases.of_bundle(Repository.open(root), "flights", digest, key="0" * 64) is None


def test_a_bundle_that_lists_a_signature_is_not_signed(made: Path, ours: Pair, tmp_path: Path) -> None:
    """Laying ours beside it would change what the manifest vouches for."""
    bundle = Path(shutil.copytree(made, tmp_path / "bundle"))
    (bundle / "model.sig").write_bytes(b"theirs")
    with pytest.raises(UsageError, match=r"brings a model\.sig of its own"):
        signed(sealed(bundle), ours)


def test_a_bundle_with_its_signature_is_the_same_archive(root: Path, made: Path, ours: Pair, tmp_path: Path) -> None:
    """Else who sends it again, from a clone where it was laid, would send other bytes under its name."""
    released(root, made, 1, signed(made, ours))
    laid = find_bundle(root, "v1", say).folder
    archives.pack(made, tmp_path / "made.zip")
    archives.pack(laid, tmp_path / "laid.zip", only=folder.vouched(laid))
    assert (tmp_path / "made.zip").read_bytes() == (tmp_path / "laid.zip").read_bytes()


def overwritten(name: str) -> Callable[[Path], None]:
    return lambda bundle: (bundle / name).write_bytes(b"other")


def forged(bundle: Path) -> None:
    """With a manifest that holds for it."""
    (bundle / "model.sig").unlink()
    (bundle / "model.onnx").write_bytes(b"other")
    sealed(bundle)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (overwritten("model.onnx"), "was changed: model.onnx was changed"),
        (forged, "was changed: manifest.json has another digest"),
        (lambda bundle: (bundle / "extra").write_bytes(b""), "was changed: extra is not listed"),
    ],
)
def test_a_bundle_that_was_changed_after_it_was_signed(
    root: Path, made: Path, ours: Pair, change: Callable[[Path], None], said: str
) -> None:
    released(root, made, 1, signed(made, ours))
    change(find_bundle(root, "v1", say).folder)
    with pytest.raises(UsageError, match=said):
        find_bundle(root, "v1", say)


def test_what_lies_beside_a_bundle_is_replaced_by_what_the_release_says(root: Path, made: Path, ours: Pair) -> None:
    by = signed(made, ours)
    released(root, made, 1, by)
    bundle = find_bundle(root, "v1", say).folder
    for change in (overwritten("model.sig"), lambda bundle: (bundle / "model.sig").unlink()):
        change(bundle)
        assert (find_bundle(root, "v1", say).folder / "model.sig").read_bytes() == by.content


def test_a_link_in_place_of_a_signature_is_refused(root: Path, made: Path, ours: Pair, tmp_path: Path) -> None:
    by = signed(made, ours)
    released(root, made, 1, by)
    bundle = find_bundle(root, "v1", say).folder
    (bundle / "model.sig").unlink()
    (tmp_path / "elsewhere").write_bytes(by.content)
    (bundle / "model.sig").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"model\.sig is not listed"):
        find_bundle(root, "v1", say)


def test_a_signature_that_is_gone_or_another(root: Path, made: Path, keys: tuple[Pair, Pair]) -> None:
    one, other = signed(made, keys[0]), signed(made, keys[1])
    released(root, made, 1, one)
    here = signatures.place(open_project(root), one.record.digest)
    here.write_bytes(other.content)
    with pytest.raises(UsageError, match=f"signature {one.record.digest[:12]} was changed"):
        find_bundle(root, "v1", say)
    with pytest.raises(OutsideError, match="is not the one that was put there"):
        signatures.keep(open_project(root), one, say)
    here.unlink()
    with pytest.raises(UsageError, match=r"the release was signed, and its signature .* is not in \.mlops-ci/store"):
        find_bundle(root, "v1", say)
    signatures.keep(open_project(root), one, say)
    assert find_bundle(root, "v1", say).release == "v1"


def test_a_ledger_that_was_forged_too_does_not_hold_for_the_key(
    root: Path, made: Path, keys: tuple[Pair, Pair], tmp_path: Path
) -> None:
    """Who writes into store and ledger can name any signature: what they cannot is make one by our key."""
    ours, theirs = keys
    other = Path(shutil.copytree(made, tmp_path / "other"))
    (other / "MODEL_CARD.md").write_text("Trust me.")
    sealed(other)
    mine = signed(made, ours)
    released(root, other, 1, signed(other, theirs))
    released(root, other, 2, signed(other, theirs), record=Signature(digest="0" * 64, key=mine.record.key))
    released(root, other, 3, mine)
    assert "it was made with the key" in signing.problem(find_bundle(root, "v1", say).folder, ours.public, say)
    with pytest.raises(UsageError, match="the release was signed, and its signature 000000000000 is not in"):
        find_bundle(root, "v2", say)
    assert "MODEL_CARD.md' is not signed" in signing.problem(find_bundle(root, "v3", say).folder, ours.public, say)


def test_prune_takes_signatures_with_their_bundles(
    root: Path, made: Path, keys: tuple[Pair, Pair], tmp_path: Path
) -> None:
    old, again = signed(made, keys[0]), signed(made, keys[1])
    released(root, made, 1, old)
    released(root, made, 2, again)
    newer = Path(shutil.copytree(made, tmp_path / "newer"))
    (newer / "MODEL_CARD.md").write_text("Newer.")
    kept = signed(sealed(newer), keys[0])
    released(root, newer, 3, kept)
    prune(root, Rule(keep=1, days=30), do=True)
    assert [path.name for path in signatures.place(open_project(root), "x").parent.iterdir()] == [kept.record.digest]
    assert find_bundle(root, "v3", say).release == "v3"


# Elsewhere


@pytest.fixture
def elsewhere(hub: FakeGitHub, made: Path, ours: Pair, tmp_path: Path) -> Project:
    """Another clone of a project whose v1 is signed, and kept in GitHub releases."""
    root = repo(tmp_path / "r", {"mlops.yaml": f"{SETTINGS}store: github-release\n"})
    bare(root, tmp_path / "origin.git")
    released(root, made, 1, signed(made, ours))
    git(root, "push", "--quiet", "origin", "mlops-reports")
    git(tmp_path, "clone", "--quiet", "origin.git", "elsewhere")
    return open_project(tmp_path / "elsewhere")


def test_another_clone_gets_the_signature_too(hub: FakeGitHub, elsewhere: Project, made: Path, ours: Pair) -> None:
    found = find_bundle(elsewhere.root, "v1", say)
    assert (found.folder / "model.sig").read_bytes() == signed(made, ours).content
    assert signing.problem(found.folder, ours.public, say) == ""
    asked = len(hub.requests)
    assert find_bundle(elsewhere.root, "v1", say) == found
    assert len(hub.requests) == asked
    tags = sorted(each.tag.rpartition("-")[0] for each in hub.state.releases.values())
    assert tags == ["mlops-ci-bundle", "mlops-ci-signature"]
    stores.keep(elsewhere, found.folder, digest_of(made), say)  # from where it was laid: the same archive


def test_a_signature_that_the_place_has_lost_or_holds_another_for(
    hub: FakeGitHub, elsewhere: Project, made: Path, keys: tuple[Pair, Pair], tmp_path: Path
) -> None:
    [there] = [each for each in hub.state.releases.values() if "signature" in each.tag]
    tree({"model.sig": signed(made, keys[1]).content}, tmp_path / "other")
    tree({"model.sig": b"", "more": b""}, tmp_path / "more")
    for name in ("other", "more"):
        archives.pack(tmp_path / name, tmp_path / "other.zip")
        there.assets[0].content = (tmp_path / "other.zip").read_bytes()
        with pytest.raises(OutsideError, match="is not that signature"):
            find_bundle(elsewhere.root, "v1", say)
    del hub.state.releases[there.id]
    with pytest.raises(UsageError, match="is not in the GitHub releases of acme/ml"):
        find_bundle(elsewhere.root, "v1", say)
    assert not signatures.place(elsewhere, "x").parent.exists()


def test_prune_removes_a_signature_there_before_its_bundle(hub: FakeGitHub, elsewhere: Project) -> None:
    """Broken off in between, the next run still finds both by the bundle."""
    ledger.record(elsewhere.repository, entry(2, "b" * 64))
    [there] = [each for each in hub.state.releases.values() if "signature" in each.tag]
    hub.fail("DELETE", f"/releases/{there.id}", status=500, times=9)
    with pytest.raises(MlopsCiError):
        prune(elsewhere.root, Rule(keep=1, days=30), do=True)
    hub.faults.clear()
    prune(elsewhere.root, Rule(keep=1, days=30), do=True)
    assert hub.state.releases == {}


# Keys


def refusal(monkeypatch: pytest.MonkeyPatch, key: Path) -> str:
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(key))
    with pytest.raises(UsageError) as stopped:
        signatures.signer(Clock(Silent()))
    assert stopped.value.exit_code is ExitCode.USAGE
    assert "MLOPS_CI_SIGNING_KEY" in stopped.value.advice
    assert "\n" not in stopped.value.message
    return stopped.value.message


def test_keys_that_cannot_sign_are_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, ours: Pair, tmp_path: Path
) -> None:
    locked = signing_keys.pair(tmp_path, "locked", password="secret")
    large = signing_keys.pair(tmp_path, "large", curve="SECP384R1")
    (tmp_path / "no.pem").write_text("no key")
    for path, said in (
        (locked.private, "the key is encrypted; one that needs no password is needed"),
        (large.private, "a key of secp384r1; a key of ECDSA P-256 in PEM is needed"),
        (tmp_path / "no.pem", "no private key that can be read; a key of ECDSA P-256 in PEM is needed"),
        (ours.public, "no private key that can be read; a key of ECDSA P-256 in PEM is needed"),
        (tmp_path / "none.pem", "the key cannot be read: No such file or directory"),
        (tmp_path, "the key cannot be read: Is a directory"),
    ):
        assert refusal(monkeypatch, path) == f"{path}: {said}"


def test_without_a_name_nobody_signs_and_a_key_that_others_may_read_is_told(
    monkeypatch: pytest.MonkeyPatch, ours: Pair, tmp_path: Path
) -> None:
    told: list[str] = []

    class Listening(Silent):
        def note(self, text: str) -> None:
            told.append(text)

    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", "")
    assert signatures.signer(Clock(Listening())) is None
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(ours.private))
    assert signatures.signer(Clock(Listening()))
    assert told == []
    shared = Path(shutil.copy(ours.private, tmp_path / "shared.pem"))
    shared.chmod(0o644)
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(shared))
    assert signatures.signer(Clock(Listening()))
    assert told == [f"sign      others on this machine may read {shared}: chmod 600 keeps a key from them"]
