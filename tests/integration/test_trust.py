"""Whose signature is demanded: by an option, the environment or the project; and that a release has to be signed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_ci.config import load, yaml
from mlops_ci.edge import beside, environment, runtime
from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.steps import signatures, trust
from mlops_ci.steps.progress import Clock, Silent
from tests import serving_bundles, signing_keys
from tests.environments import required
from tests.helpers import commit, repo, tree
from tests.integration.test_releases import SETTINGS
from tests.integration.test_signatures import say, signed
from tests.serving_bundles import sealed
from tests.signing_keys import Pair

if TYPE_CHECKING:
    from mlops_ci.config.settings import Config

TRUSTING = f"{SETTINGS}package: {{trust: keys/release.pub}}\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    place = tmp_path_factory.mktemp("keys")
    return signing_keys.pair(place, "ours"), signing_keys.pair(place, "theirs")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("made") / "rents", serving_bundles.regression())


@pytest.fixture
def root(tmp_path: Path, keys: tuple[Pair, Pair]) -> Path:
    return repo(tmp_path / "r", {"mlops.yaml": TRUSTING, "keys/release.pub": keys[0].public.read_bytes()})


def settings(text: str = TRUSTING) -> Config:
    return load.parse(yaml.decode(text.encode(), file="mlops.yaml"), file="mlops.yaml")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../release.pub", "'../release.pub' leaves the project"),
        ("/etc/release.pub", "'/etc/release.pub' leaves the project"),
        ("https://keys.example/release.pub", "is not a file here"),
    ],
)
def test_a_key_is_a_file_of_the_project(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"mlops\.yaml:5: package\.trust: .*{said}"):
        settings(TRUSTING.replace("keys/release.pub", name))


def test_a_key_that_is_not_there_or_leads_elsewhere(root: Path, keys: tuple[Pair, Pair]) -> None:
    assert trust.key_of(root, settings(SETTINGS)) is None
    assert trust.key_of(root, settings()) == root / "keys/release.pub"
    (root / "keys/release.pub").unlink()
    with pytest.raises(ConfigError, match=r"mlops\.yaml:5: package\.trust: there is no file keys/release\.pub"):
        trust.key_of(root, settings())
    (root / "keys/release.pub").symlink_to(keys[0].public)
    with pytest.raises(ConfigError, match="leads out of the project"):
        trust.key_of(root, settings())


def test_an_option_goes_before_the_environment_and_that_before_the_project(
    root: Path, keys: tuple[Pair, Pair], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours, theirs = keys
    monkeypatch.delenv("MLOPS_CI_TRUST", raising=False)
    (root / "below").mkdir()
    assert trust.demanded(root / "below") == root / "keys/release.pub"
    assert trust.demanded(tmp_path) is None
    monkeypatch.setenv("MLOPS_CI_TRUST", str(theirs.public))
    assert trust.demanded(root) == trust.demanded(tmp_path) == theirs.public
    assert trust.demanded(root, ours.public) == ours.public


def test_settings_that_cannot_be_read_demand_no_less(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLOPS_CI_TRUST", raising=False)
    tree({"mlops.yaml": TRUSTING + "packages: {}\n"}, root)
    with pytest.raises(ConfigError):
        trust.demanded(root)


def test_a_release_is_signed_by_that_key_or_not_made(
    root: Path, keys: tuple[Pair, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = keys
    with pytest.raises(ConfigError, match=r"mlops\.yaml:5: package\.trust: releases are to be signed, and no key is"):
        trust.require_signer(root, settings(), None, say)
    trust.require_signer(root, settings(SETTINGS), None, say)
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(ours.private))
    trust.require_signer(root, settings(), signatures.signer(Clock(Silent())), say)
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(theirs.private))
    other = signatures.signer(Clock(Silent()))
    with pytest.raises(ConfigError, match=r"releases are to be signed by key [0-9a-f]{12} \(keys/release\.pub\), and"):
        trust.require_signer(root, settings(), other, say)
    tree({"keys/release.pub": b"no key"}, root)
    with pytest.raises(UsageError, match=r"keys/release\.pub: no public key that can be read"):
        trust.require_signer(root, settings(), other, say)


def test_what_is_built_of_a_bundle_asks_for_its_signature(made: Path, keys: tuple[Pair, Pair], tmp_path: Path) -> None:
    ours, theirs = keys
    trust.require_signature(made, None, say)
    with pytest.raises(UsageError, match=r"model\.sig: it is not there"):
        trust.require_signature(made, ours.public, say)
    bundle = Path(shutil.copytree(made, tmp_path / "signed"))
    (bundle / "model.sig").write_bytes(signed(made, ours).content)
    trust.require_signature(bundle, ours.public, say)
    with pytest.raises(UsageError, match="it was made with the key"):
        trust.require_signature(bundle, theirs.public, say)


def test_a_runtime_that_asks_for_no_signature_is_not_run(made: Path, keys: tuple[Pair, Pair], tmp_path: Path) -> None:
    """Who puts other files into a bundle puts another runtime in too, and a lock that installs what they like."""
    bundle = Path(shutil.copytree(made, tmp_path / "rents"))
    for name in ("__init__", "__main__", "batch/__init__", "batch/__main__"):
        (bundle / f"serve/mlops_ci_serving/{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (bundle / "requirements.lock").write_text("no lock")
    sealed(bundle)
    (tmp_path / "in.csv").write_text("area,rooms\n1.0,2\n")
    for command in (["serve", "rents", "--port", "0"], ["score", "rents", "in.csv", "out.csv"]):
        whole = [sys.executable, "-m", "mlops_ci", *command, "--trust", str(keys[0].public)]
        done = subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2, done.stderr
        assert "a signature is demanded, and this bundle has none that holds: " in done.stderr
        assert not (tmp_path / "ran").exists()


def test_serve_score_and_package_demand_what_option_or_project_say(
    root: Path, made: Path, keys: tuple[Pair, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLOPS_CI_TRUST", raising=False)
    with required("pyarrow"):
        here = environment.resolve(Path("/nowhere"), Path("/nowhere"), say=lambda _: None)
        beside.lay(runtime.kit("batch"), "batch", here, lambda: None)
    ours, theirs = keys
    shutil.copytree(made, root / "rents")
    commit(root, {"in.csv": "area,rooms\n1.0,2\n"}, "A bundle")

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "mlops_ci", *command]
        return subprocess.run(whole, cwd=root, capture_output=True, text=True, timeout=120, check=False)

    def lacks(*command: str, said: str = "model.sig: it is not there; a signature by the key in") -> None:
        done = call(*command)
        assert done.returncode, command
        assert said in done.stderr, command

    lacks("serve", "rents", "--port", "0")
    lacks("score", "rents", "in.csv", "out.csv")
    lacks("package", "functions", "rents", "made")
    assert not (root / "made").exists()
    (root / "rents/model.sig").write_bytes(signed(made, ours).content)
    assert call("score", "rents", "in.csv", "out.csv").returncode == 0
    lacks("score", "rents", "in.csv", "again.csv", "--trust", str(theirs.public), said="it was made with the key")
    lacks("serve", "rents", "--port", "0", "--trust", "none.pub", said="'none.pub' does not exist")
    assert not (root / "again.csv").exists()
