"""`python -m bench.kills`."""

from __future__ import annotations

import sys

from bench.kills.command import main

sys.exit(main(sys.argv[1:]))
