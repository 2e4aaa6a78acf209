"""`python -m bench.cases`."""

from __future__ import annotations

import sys

from bench.cases.command import main

sys.exit(main(sys.argv[1:]))
