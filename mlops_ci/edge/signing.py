"""Signs bundles and checks signatures: by the runtime's own half for it, with its cryptography laid beside it.

It runs in a process of its own, so that neither this one nor a bundle without signature needs that library.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlops_ci.edge import runtime
from mlops_ci.edge.environment import ProjectEnvironment
from mlops_ci.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "MLOPS_CI_SIGNING_KEY"
_OURS = Path(__file__).resolve().parents[2]
_TRUST = "mlops_ci.serving.trust"
_OTHERS = 0o077
_REFUSED = 1
_ADVICE = {"private": f"Name the file of a private key in {KEY}.", "public": "Name the file of a public key."}

# The keys of the runtime's half, asked for the fingerprint of one.
_FINGERPRINT = f"""
import sys
from pathlib import Path
from mlops_ci.serving.errors import BundleError
from {_TRUST} import keys
try:
    found = getattr(keys, sys.argv[1] + "_key")(Path(sys.argv[2]))
    print(keys.fingerprint(found.public_key() if sys.argv[1] == "private" else found))
except BundleError as error:
    sys.exit(str(error))
"""


def named_key() -> Path | None:
    """The file of the private key that the environment names; None: nothing is signed."""
    named = os.environ.get(KEY)
    return Path(named).absolute() if named else None


def is_open(key: Path) -> bool:
    """Whether others on this machine may read or write the file of a key."""
    try:
        return bool(key.stat().st_mode & _OTHERS)
    except OSError:
        return False


def fingerprint(kind: Literal["private", "public"], key: Path, say: Callable[[str], None]) -> str:
    """The sha256 that signatures name a key by, 64 hex digits. UsageError where the file holds none of use."""
    done = _run(["-c", _FINGERPRINT, kind, str(key)], say)
    if refused := _refusal(done):
        raise UsageError(refused, f"{_ADVICE[kind]} docs/bundle.md says how to make one.")
    return done.stdout.decode().strip()


def sign(bundle: Path, key: Path, say: Callable[[str], None]) -> bytes:
    """The content of model.sig for a bundle; the same each time. UsageError where the key cannot be used."""
    done = _run(["-m", _TRUST, "sign", str(bundle), str(key)], say)
    if refused := _refusal(done):
        raise UsageError(f"the bundle cannot be signed: {refused}", _ADVICE["private"])
    return done.stdout


def problem(bundle: Path, key: Path, say: Callable[[str], None]) -> str:
    """Why a bundle is not one that this public key has signed; empty where it is."""
    return _refusal(_run(["-m", _TRUST, "verify", str(bundle), str(key)], say))


def _run(arguments: list[str], say: Callable[[str], None]) -> subprocess.CompletedProcess[bytes]:
    laid = runtime.lay_trust(_this_python(), say)
    variables = os.environ | {"PYTHONPATH": os.pathsep.join((str(laid), str(_OURS)))}
    command = [sys.executable, "-s", "-P", *arguments]
    return subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _this_python() -> ProjectEnvironment:
    return ProjectEnvironment(
        python=Path(sys.executable),
        digest="",
        locked=False,
        packages={},
        version=platform.python_version(),
        source="this Python",
    )


def _refusal(done: subprocess.CompletedProcess[bytes]) -> str:
    """Why it said no, empty where it did not. OutsideError where it did not come to an answer."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    said = lines[-1] if lines else f"it ended with code {done.returncode}"
    if done.returncode not in (0, _REFUSED) or any(line.startswith("Traceback ") for line in lines):
        raise OutsideError(f"what makes and checks signatures failed: {said}", "Is there room in the cache folder?")
    return said if done.returncode else ""
