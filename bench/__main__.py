"""Run every benchmark."""

from __future__ import annotations

from bench import gates, startup

for name, bench in (("start-up", startup), ("gates", gates)):
    print(f"== {name}")
    bench.main()
