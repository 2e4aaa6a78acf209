"""A command, and what it and all that it starts take."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# A process of its own asks, so that only this command is counted. Where the machine has no memory left, it is the first
# to go. Prints code, seconds of the processor, kilobytes of the largest process.
_WATCH = """
import os, resource, signal, subprocess, sys
with open("/proc/self/oom_score_adj", "w") as file:
    file.write("1000")
process = subprocess.Popen(sys.argv[2:], stdout=sys.stderr, start_new_session=True)
try:
    process.wait(float(sys.argv[1]))
except subprocess.TimeoutExpired:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.returncode = "limit"
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


class Taken(NamedTuple):
    """Seconds by the clock, of the processor, and bytes of the largest process; `ended`: why before it was done."""

    seconds: float
    processor: float
    memory: int
    ended: str = ""


def watched(command: Sequence[str | Path], *, limit: float) -> Taken:
    """Run it, for `limit` seconds at most. SystemExit where it refuses its work."""
    began = time.perf_counter()
    watch = [sys.executable, "-c", _WATCH, str(limit), *map(str, command)]
    done = subprocess.run(watch, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    code, processor, kilobytes = done.stdout.split()
    ended = {"0": "", "limit": f"stopped after {limit:.0f} s", "-9": "killed: the machine has no memory left"}
    if code not in ended:
        raise SystemExit(f"{command[0]} ended with {code}:\n{done.stderr[-2000:]}")
    return Taken(seconds, float(processor), int(kilobytes) * 1024, ended[code])
