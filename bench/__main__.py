"""Run every benchmark."""

from __future__ import annotations

import sys

from bench import gates, startup
from bench.score import command as score
from bench.verdicts import command as verdicts

for name, timings in (("start-up", startup), ("gates", gates)):
    print(f"== {name}")
    timings.main()
codes = []
for name, claims in (("scoring files", score), ("verdicts", verdicts)):
    print(f"== {name}")
    codes.append(claims.main())
sys.exit(max(codes))
