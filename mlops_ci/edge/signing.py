"""Signs bundles and checks signatures: by the runtime's own half for it, with its cryptography laid beside it.

It runs in a process of its own, so that neither this one nor a bundle without signature needs that library.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.edge import beside, runtime
from mlops_ci.edge.environment import ProjectEnvironment
from mlops_ci.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE = "model.sig"
KEY = "MLOPS_CI_SIGNING_KEY"
KIT = "trust"
_OURS = Path(__file__).resolve().parents[2]


def signing_key() -> Path | None:
    """The private key that the environment names; None: nothing is signed."""
    named = os.environ.get(KEY)
    return Path(named).absolute() if named else None


def sign(bundle: Path, key: Path, say: Callable[[str], None]) -> bytes:
    """The content of model.sig for a bundle; the same each time. UsageError where the key cannot be used."""
    done = _run("sign", bundle, key, say)
    if done.returncode:
        raise UsageError(f"the bundle cannot be signed: {_words(done)}", f"Name a key that can be used in {KEY}.")
    return done.stdout


def problem(bundle: Path, key: Path, say: Callable[[str], None]) -> str:
    """Why a bundle is not one that this public key has signed; empty where it is."""
    done = _run("verify", bundle, key, say)
    return _words(done) if done.returncode else ""


def lay(environment: ProjectEnvironment, say: Callable[[str], None]) -> Path:
    """The folder with what checks signatures, for the imports of an environment."""
    return beside.lay(runtime.kit(KIT), KIT, environment, lambda: say("installing what checks signatures, 5 MB, once"))


def this_python() -> ProjectEnvironment:
    """The environment that mlops-ci itself runs in."""
    return ProjectEnvironment(
        python=Path(sys.executable),
        digest="",
        locked=False,
        packages={},
        version=platform.python_version(),
        source="this Python",
    )


def _run(verb: str, bundle: Path, key: Path, say: Callable[[str], None]) -> subprocess.CompletedProcess[bytes]:
    variables = os.environ | {"PYTHONPATH": os.pathsep.join((str(lay(this_python(), say)), str(_OURS)))}
    command = [sys.executable, "-P", "-m", "mlops_ci.serving.trust", verb, str(bundle), str(key)]
    return subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"code {done.returncode}"
