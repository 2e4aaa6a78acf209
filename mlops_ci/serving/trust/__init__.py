"""Signatures of bundles, in the format of OpenSSF Model Signing: made and checked, with keys of ECDSA P-256.

Needs `cryptography`, which only those install who demand a signature: `requirements.lock` in this folder.
"""

from __future__ import annotations

import os
from pathlib import Path

HELP = "the public key of who signs: a bundle without a signature by it is not opened (MLOPS_CI_TRUST)"


def trusted() -> Path | None:
    """The public key that the environment names; where it names none, nobody's signature is demanded."""
    named = os.environ.get("MLOPS_CI_TRUST")
    return Path(named) if named else None
