"""Run every benchmark."""

from __future__ import annotations

import sys

from bench import gates, startup
from bench.verdicts import command as verdicts

for name, bench in (("start-up", startup), ("gates", gates)):
    print(f"== {name}")
    bench.main()
print("== verdicts")
sys.exit(verdicts.main())
