"""`python -m mlops_ci_serving.trust sign|verify BUNDLE KEY`. Codes: 0, 1 refused, 2 usage.

`sign` writes the content of model.sig to stdout, made with the private key in KEY; `verify` asks for a signature by
the public one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..bundle import listed, opened, verified
from ..errors import BundleError
from . import keys


def main(arguments: Sequence[str]) -> int:
    """Sign or verify; the exit code."""
    parser = argparse.ArgumentParser("mlops_ci_serving.trust", description=__doc__, allow_abbrev=False)
    parser.add_argument("verb", choices=("sign", "verify"))
    parser.add_argument("bundle", type=Path)
    parser.add_argument("key", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.verb == "verify":
            verified(chosen.bundle, trust=chosen.key)
        else:
            name = opened(chosen.bundle).serving.project
            sys.stdout.buffer.write(keys.sign(listed(chosen.bundle), name, keys.private_key(chosen.key)))
    except BundleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
