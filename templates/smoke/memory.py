"""The largest resident size of all other processes of the container together, bytes. Arguments: those not counted."""

import os
import pathlib
import re
import sys

left_out = {str(os.getpid()), *sys.argv[1:]}
peak = 0
for status in pathlib.Path("/proc").glob("[0-9]*/status"):
    if status.parent.name not in left_out:
        peak += sum(int(found) for found in re.findall(r"VmHWM:\s*(\d+) kB", status.read_text()))
print(peak * 1024)
