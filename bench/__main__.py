"""Run every benchmark."""

from __future__ import annotations

import sys

from bench import gates, score, startup
from bench.verdicts import command as verdicts

for name, bench in (("start-up", startup), ("gates", gates), ("scoring files", score)):
    print(f"== {name}")
    bench.main()
print("== verdicts")
sys.exit(verdicts.main())
