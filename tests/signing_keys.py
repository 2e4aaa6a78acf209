"""Keys that sign bundles, and ones that cannot: made by a process that has cryptography."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.environments import signing_kit

_MADE = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec
folder, name, curve, password = Path(sys.argv[1]), *sys.argv[2:]
key = ec.generate_private_key(getattr(ec, curve)())
secret = s.BestAvailableEncryption(password.encode()) if password else s.NoEncryption()
(folder / f"{name}.pem").write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, secret))
public = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
(folder / f"{name}.pub").write_bytes(public)
"""


class Pair(NamedTuple):
    """The files of a private key and of its public half."""

    private: Path
    public: Path


def pair(folder: Path, name: str, *, curve: str = "SECP256R1", password: str = "") -> Pair:
    """A new one in `folder`, readable by its owner alone."""
    subprocess.run(
        [sys.executable, "-c", _MADE, str(folder), name, curve, password],
        env=os.environ | {"PYTHONPATH": str(signing_kit())},
        check=True,
    )
    made = Pair(folder / f"{name}.pem", folder / f"{name}.pub")
    made.private.chmod(0o600)
    return made
