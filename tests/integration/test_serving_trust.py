"""Signatures of bundles: ours hold for `model_signing`, its for us, and nothing that was changed is opened."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge import beside, environment, runtime
from mlops_ci.serving.bundle import listed, opened, verified
from mlops_ci.serving.errors import BundleError
from mlops_ci.serving.model import Model
from tests import serving_bundles
from tests.environments import python_with, required, signing_kit
from tests.serving_bundles import sealed
from tests.serving_client import running


@pytest.fixture(scope="module", autouse=True)
def kit() -> Iterator[Path]:
    """cryptography, which the tools of development stay free of."""
    place = signing_kit()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        yield place


def signature(bundle: Path, key: Path) -> bytes:
    from mlops_ci.serving.trust import keys

    return keys.sign(listed(bundle), "rents", keys.private_key(key))


class Desk:
    """Keys and a signed bundle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key, self.public = self.pair("ours")
        self.bundle = serving_bundles.write(folder / "rents", serving_bundles.regression())
        self.sign(self.bundle, self.key)

    def pair(self, name: str, curve: str = "SECP256R1") -> tuple[Path, Path]:
        from cryptography.hazmat.primitives.asymmetric import ec

        return self.kept(name, ec.generate_private_key(getattr(ec, curve)()))

    def kept(self, name: str, private: Any) -> tuple[Path, Path]:
        from cryptography.hazmat.primitives import serialization as s

        key, public = self.folder / f"{name}.pem", self.folder / f"{name}.pub"
        key.write_bytes(private.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
        public.write_bytes(private.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo))
        return key, public

    def sign(self, bundle: Path, key: Path) -> Path:
        (bundle / "model.sig").write_bytes(signature(bundle, key))
        return bundle


@pytest.fixture(scope="module")
def desk(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def bundle(desk: Desk, tmp_path: Path) -> Path:
    return Path(shutil.copytree(desk.bundle, tmp_path / "rents"))


def refused(bundle: Path, trust: Path) -> str:
    with pytest.raises(BundleError) as caught:
        opened(bundle, trust=trust)
    return str(caught.value).replace(str(bundle), "BUNDLE")


def test_a_signed_bundle_is_the_same_bundle_and_the_same_signature(desk: Desk, bundle: Path) -> None:
    assert opened(bundle, trust=desk.public) == opened(bundle)
    assert signature(bundle, desk.key) == (bundle / "model.sig").read_bytes()
    shutil.rmtree(bundle / "serve" / "mlops_ci_serving" / "__pycache__", ignore_errors=True)
    (bundle / "model.sig").unlink()
    assert verified(bundle) == verified(desk.bundle)


@pytest.fixture(scope="module")
def theirs() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`model_signing` itself, in an environment of its own."""
    python = python_with("signing")

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [python, "-m", "model_signing", *map(str, arguments)]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)

    return call


Theirs = Callable[..., subprocess.CompletedProcess[str]]


def test_what_we_sign_model_signing_verifies(desk: Desk, bundle: Path, theirs: Theirs) -> None:
    how = ("verify", "key", bundle, "--public_key", desk.public, "--signature", bundle / "model.sig")
    done = theirs(*how)
    assert (done.returncode, done.stdout.strip()) == (0, "Verification succeeded"), done.stdout + done.stderr
    (bundle / "golden.json").write_bytes(b"{}")
    assert theirs(*how).returncode != 0
    other = desk.pair("stranger")[1]
    assert theirs(
        "verify", "key", desk.bundle, "--public_key", other, "--signature", desk.bundle / "model.sig"
    ).returncode


def test_what_model_signing_signs_we_open(desk: Desk, bundle: Path, theirs: Theirs) -> None:
    before = (bundle / "model.sig").read_bytes()
    done = theirs("sign", "key", bundle, "--private_key", desk.key, "--signature", bundle / "model.sig")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (bundle / "model.sig").read_bytes() != before
    assert opened(bundle, trust=desk.public) == opened(desk.bundle)
    content = (bundle / "golden.json").read_bytes()
    _rewritten(bundle, lambda b: (b / "golden.json").write_bytes(content + b" "))
    assert refused(bundle, desk.public).startswith("BUNDLE/model.sig: 'golden.json' has the sha256")
    # A file that they were told to leave out is one that nobody signed.
    left_out = ("--ignore-paths", desk.bundle / "model.onnx", "--signature", desk.folder / "less.sig")
    assert theirs("sign", "key", desk.bundle, "--private_key", desk.key, *left_out).returncode == 0
    shutil.copy(desk.folder / "less.sig", shutil.copytree(desk.bundle, bundle.parent / "less") / "model.sig")
    assert "'model.onnx' is not signed" in refused(bundle.parent / "less", desk.public)


def _rewritten(bundle: Path, change: Callable[[Path], object]) -> None:
    """Changed, and the manifest made to fit: without the signature nobody could see it."""
    signature = (bundle / "model.sig").read_bytes()
    (bundle / "model.sig").unlink()
    change(bundle)
    sealed(bundle)
    (bundle / "model.sig").write_bytes(signature)
    opened(bundle)


CHANGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file": (lambda b: (b / "README.md").write_bytes(b"other"), "BUNDLE/model.sig: 'README.md' has the sha256 d9298"),
    "one more": (lambda b: (b / "serve/more.py").write_bytes(b""), "BUNDLE/model.sig: 'serve/more.py' is not signed"),
    "one less": (lambda b: (b / "README.md").unlink(), "BUNDLE/model.sig: 'README.md' is missing"),
    "renamed": (lambda b: (b / "README.md").rename(b / "readme"), "BUNDLE/model.sig: 'README.md' is missing"),
    "two exchanged": (
        lambda b: _exchange(b / "README.md", b / "serve/mlops_ci_serving/__init__.py"),
        "BUNDLE/model.sig: '",
    ),
    "the manifest alone": (lambda b: None, "BUNDLE/model.sig: 'manifest.json' has the sha256"),
}


def _exchange(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@pytest.mark.parametrize("case", CHANGED)
def test_a_bundle_that_was_changed_after_signing_is_refused(desk: Desk, bundle: Path, case: str) -> None:
    (bundle / "model.sig").unlink()
    (bundle / "README.md").write_bytes(b"about")
    desk.sign(sealed(bundle), desk.key)
    opened(bundle, trust=desk.public)
    change, words = CHANGED[case]
    if case == "the manifest alone":
        manifest = json.loads((bundle / "manifest.json").read_bytes())
        (bundle / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        opened(bundle)
    else:
        _rewritten(bundle, change)
    assert refused(bundle, desk.public).startswith(words)


class Bomb:
    def __init__(self, where: Path) -> None:
        self.where = where

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.where,)


def test_a_pickle_runs_neither_when_it_is_verified_nor_when_it_is_refused(desk: Desk, tmp_path: Path) -> None:
    from mlops_ci.serving.trust import __main__ as trust

    went_off = tmp_path / "went-off"
    files = serving_bundles.kept() | {"model.pkl": pickle.dumps(Bomb(went_off))}
    bundle = serving_bundles.write(tmp_path / "delays", files)
    for verb, key, code in (("sign", desk.key, 0), ("verify", desk.public, 1)):  # it is printed, and not there yet
        assert trust.main([verb, str(bundle), str(key)]) == code
    desk.sign(bundle, desk.key)
    assert trust.main(["verify", str(bundle), str(desk.public)]) == 0
    desk.sign(bundle, desk.pair("stranger")[0])
    assert trust.main(["verify", str(bundle), str(desk.public)]) == 1
    with pytest.raises(BundleError, match="it was made with the key"):
        Model(opened(bundle, trust=desk.public))
    assert not went_off.exists()
    with pytest.raises(BundleError, match=r"model\.pkl: it cannot be opened here"):
        Model(opened(bundle))
    assert went_off.exists(), "where no signature is demanded, what was released as a pickle is opened"


def test_a_file_that_no_longer_is_what_manifest_and_signature_say_is_refused(desk: Desk, bundle: Path) -> None:
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[99] ^= 1
    (bundle / "model.onnx").write_bytes(content)
    assert refused(bundle, desk.public).startswith("BUNDLE/model.onnx: sha256")


def test_no_signature_but_one_by_the_trusted_key_is_any_good(desk: Desk, bundle: Path, tmp_path: Path) -> None:
    key, public = desk.pair("other")
    ours = desk.public.read_bytes()
    assert hashlib.sha256(ours).hexdigest() in refused(bundle, public)
    desk.sign(bundle, key)
    opened(bundle, trust=public)
    said = refused(bundle, desk.public)
    assert said.startswith(
        f"BUNDLE/model.sig: it was made with the key '{hashlib.sha256(public.read_bytes()).hexdigest()}"
    )
    # The same with the name of our key written into it, and with none.
    signature = json.loads((bundle / "model.sig").read_bytes())
    for hint in ({"hint": hashlib.sha256(ours).hexdigest()}, {}):
        signature["verificationMaterial"]["publicKey"] = hint
        (bundle / "model.sig").write_text(json.dumps(signature), encoding="utf-8")
        assert "model.sig: it does not hold for the trusted key, " in refused(bundle, desk.public)
    # Of another bundle, by the right key.
    another = serving_bundles.write(tmp_path / "another", serving_bundles.binary())
    desk.sign(another, desk.key)
    shutil.copy(another / "model.sig", bundle)
    assert refused(bundle, desk.public).startswith("BUNDLE/model.sig: 'golden.json' has the sha256")
    (bundle / "model.sig").unlink()
    assert refused(bundle, desk.public) == (
        f"BUNDLE/model.sig: it is not there; a signature by the key in {desk.public} is demanded"
    )
    (bundle / "model.sig").symlink_to(desk.bundle / "model.sig")
    assert "BUNDLE/model.sig: " in refused(bundle, desk.public)


def resigned(desk: Desk, bundle: Path, change: Callable[[dict[str, Any]], object], *, kind: str = "") -> None:
    """Signed again by the right key, with a statement that says something else, or of another type."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    signature = json.loads((bundle / "model.sig").read_bytes())
    envelope = signature["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    payload, type_ = json.dumps(statement).encode(), kind or envelope["payloadType"]
    private = serialization.load_pem_private_key(desk.key.read_bytes(), None)
    signed = b"DSSEv1 %d %b %d %b" % (len(type_), type_.encode(), len(payload), payload)
    found = private.sign(signed, ec.ECDSA(hashes.SHA256()))
    envelope |= {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": type_,
        "signatures": [{"sig": base64.b64encode(found).decode(), "keyid": ""}],
    }
    (bundle / "model.sig").write_text(json.dumps(signature), encoding="utf-8")


OTHERS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "nothing": (lambda s: None, ""),
    "another statement": (lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"), "_type is 'https://in-toto"),
    "another predicate": (lambda s: s.update(predicateType="https://slsa.dev/v1"), "predicateType is 'https://slsa"),
    "another hash": (
        lambda s: s["predicate"]["serialization"].update(hash_type="blake3"),
        "Invalid enum value 'blake3'",
    ),
    "an old one": (
        lambda s: s.update(predicateType="https://model_signing/Digests/v0.1", predicate={}),
        "missing required field `serialization`",
    ),
    "pieces of files": (
        lambda s: s["predicate"]["serialization"].update(method="shards", shard_size=9),
        "Invalid enum value 'shards'",
    ),
    "a file twice": (lambda s: s["predicate"]["resources"].append(s["predicate"]["resources"][0]), "a file twice"),
    "another subject": (
        lambda s: s["subject"][0]["digest"].update(sha256="0" * 64),
        "its subject is not what it lists",
    ),
    "no subject": (lambda s: s["subject"].clear(), "its subject is not what it lists"),
    "no digest": (lambda s: s["predicate"]["resources"][0].update(digest="zz"), "has the sha256"),
    "no file": (lambda s: s["predicate"].update(resources=[]), "is not signed"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_statement_by_the_trusted_key_about_something_else_is_refused(desk: Desk, bundle: Path, case: str) -> None:
    change, words = OTHERS[case]
    resigned(desk, bundle, change)
    if words:
        assert words in refused(bundle, desk.public)
    else:
        opened(bundle, trust=desk.public)


def _envelope(content: dict[str, Any], **values: object) -> dict[str, Any]:
    return content | {"dsseEnvelope": content["dsseEnvelope"] | values}


def _deep(levels: int) -> bytes:
    return b'{"mediaType":' + b"[" * levels + b"]" * levels + b"}"


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], bytes | dict[str, Any]], str]] = {
    "empty": (lambda s: b"", "truncated"),
    "cut off": (lambda s: json.dumps(s).encode()[:-200], "truncated"),
    "no JSON": (lambda s: b"-----BEGIN PGP SIGNATURE-----", "malformed"),
    "no text": (lambda s: b'"\xff\xfe"', "it is no signature"),
    "a list": (lambda s: b"[]", "Expected `object`, got `array`"),
    "a million levels": (lambda s: _deep(1_000_000), "it is no signature"),
    "five megabytes": (lambda s: json.dumps(s).encode() + b" " * 5 * 2**20, "larger than 4194304 bytes"),
    "three megabytes of list": (lambda s: b'{"x":[' + b"0," * 1_500_000 + b"0]}", "missing required field"),
    "a million signatures": (
        lambda s: _envelope(s, signatures=s["dsseEnvelope"]["signatures"] * 10_000),
        "it holds 10000 signatures",
    ),
    "no signature": (lambda s: _envelope(s, signatures=[]), "it holds 0 signatures"),
    "an empty one": (lambda s: _envelope(s, signatures=[{"sig": ""}]), "it does not hold"),
    "r and s of 0": (lambda s: _envelope(s, signatures=[{"sig": "MAYCAQACAQA="}]), "it does not hold"),
    "no base64": (lambda s: _envelope(s, signatures=[{"sig": "%%%"}]), "Invalid base64"),
    "another type": (lambda s: _envelope(s, payloadType="text/plain"), "payloadType is 'text/plain'"),
    "another container": (lambda s: s | {"mediaType": "application/json"}, "mediaType is 'application/json'"),
    "a certificate": (
        lambda s: s | {"verificationMaterial": {"certificate": {"rawBytes": "AA=="}}},
        "it was not signed with a key",
    ),
    "another statement": (lambda s: _envelope(s, payload=base64.b64encode(b"{}").decode()), "it does not hold"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_signature_is_refused_in_words(desk: Desk, bundle: Path, case: str) -> None:
    make, words = HOSTILE[case]
    made = make(json.loads((bundle / "model.sig").read_bytes()))
    (bundle / "model.sig").write_bytes(made if isinstance(made, bytes) else json.dumps(made).encode())
    said = refused(bundle, desk.public)
    assert said.startswith("BUNDLE/model.sig: ")
    assert words in said
    assert len(said) < 500


def test_the_type_that_was_signed_is_the_one_that_is_told(desk: Desk, bundle: Path) -> None:
    resigned(desk, bundle, lambda _: None, kind="text/plain")
    assert "payloadType is 'text/plain'" in refused(bundle, desk.public)
    signature = json.loads((bundle / "model.sig").read_bytes())
    told = _envelope(signature, payloadType="application/vnd.in-toto+json")
    (bundle / "model.sig").write_text(json.dumps(told), encoding="utf-8")
    assert "it does not hold" in refused(bundle, desk.public)


def test_only_a_public_key_of_p256_is_trusted(desk: Desk, bundle: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    for curve, name in (("SECP384R1", "secp384r1"), ("SECP256K1", "secp256k1")):
        key, public = desk.pair(name, curve)
        assert f"{public}: a key of {name}; a key of ECDSA P-256 in PEM is needed" in refused(bundle, public)
        with pytest.raises(BundleError, match=f"a key of {name}"):
            signature(bundle, key)
    for name, private in (("ed", ed25519.Ed25519PrivateKey.generate()), ("rsa", rsa.generate_private_key(65537, 2048))):
        assert "a key of ECDSA P-256 in PEM is needed" in refused(bundle, desk.kept(name, private)[1])
    assert "a private key; name the public one" in refused(bundle, desk.key)
    assert "no public key that can be read" in refused(bundle, bundle / "golden.json")
    assert "No such file or directory" in refused(bundle, bundle / "none.pem")


def test_a_signature_is_demanded_of_every_server_and_only_where_it_is(desk: Desk, bundle: Path, kit: Path) -> None:
    paths = os.pathsep.join((str(bundle / "serve"), str(kit)))
    with running(bundle, "--trust", str(desk.public), PYTHONPATH=paths) as server:
        assert server.post({"instances": [{"area": 1.0, "rooms": 2}]}).status == 200
    (bundle / "model.sig").unlink()
    with running(bundle) as server:
        assert server.ask("GET", "/health").status == 200
    for more in ([], ["--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "mlops_ci_serving", bundle, "--port", "0", *more],
            env=os.environ | {"PYTHONPATH": paths, "MLOPS_CI_TRUST": str(desk.public)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert f"{bundle / 'model.sig'}: it is not there; a signature by the key in" in done.stdout + done.stderr


def test_a_reload_demands_it_too_and_has_it_checked_by_what_was_started(desk: Desk, tmp_path: Path, kit: Path) -> None:
    """A new bundle that brings a runtime which finds every signature good is not asked."""
    new = Path(shutil.copytree(desk.bundle, tmp_path / "new"))
    for name in ("keys", "statement"):
        path = new / "serve" / "mlops_ci_serving" / "trust" / f"{name}.py"
        path.write_text("public_key = check = lambda *_: None\n", encoding="utf-8")
    (new / "model.sig").unlink()
    desk.sign(sealed(new), desk.pair("a stranger")[0])
    link = tmp_path / "current"
    link.symlink_to(desk.bundle)
    paths = os.pathsep.join((str(link / "serve"), str(kit)))
    trusting = ("--trust", str(desk.public))
    with running(link, *trusting, PYTHONPATH=paths, PYTHONDONTWRITEBYTECODE="1") as server:
        link.unlink()
        link.symlink_to(new)
        server.process.send_signal(signal.SIGHUP)
        assert server.said().startswith(f"not reloaded: {new / 'model.sig'}: ")
        desk.sign(new, desk.key)
        server.process.send_signal(signal.SIGHUP)
        assert server.said().startswith("reloaded: rents ")


def test_where_nothing_can_check_a_signature_nothing_is_served(desk: Desk, bundle: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci_serving", bundle, "--check", "--trust", desk.public],
        env=os.environ | {"PYTHONPATH": str(bundle / "serve")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "a signature is demanded, and cryptography, which checks it, is not here" in done.stdout


def test_serve_and_score_demand_it_as_the_server_does(desk: Desk, bundle: Path, tmp_path: Path) -> None:
    with required("pyarrow"):
        here = environment.resolve(Path("/nowhere"), Path("/nowhere"), say=lambda _: None)
        beside.lay(runtime.kit("batch"), "batch", here, lambda: None)
    (tmp_path / "in.csv").write_text("area,rooms\n1.0,2\n", encoding="utf-8")
    shutil.copy(desk.public, tmp_path / "ours.pub")

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        """With the key by a relative name, from where the command is called."""
        whole = [sys.executable, "-m", "mlops_ci", *command]
        told = os.environ | {"MLOPS_CI_TRUST": "ours.pub"}
        return subprocess.run(whole, cwd=tmp_path, env=told, capture_output=True, text=True, timeout=120, check=False)

    assert call("score", "rents", "in.csv", "out.csv").returncode == 0
    (bundle / "model.sig").unlink()
    for command in (("score", "rents", "in.csv", "again.csv"), ("serve", "rents", "--port", "0")):
        done = call(*command)
        assert done.returncode, command
        assert "model.sig: it is not there; a signature by the key in" in done.stderr, command
    assert not (tmp_path / "again.csv").exists()
