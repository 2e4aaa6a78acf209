"""`python -m bench.image`."""

from __future__ import annotations

import sys

from bench.image.command import main

sys.exit(main(sys.argv[1:]))
