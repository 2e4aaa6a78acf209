"""Golden rows from a file to a file, by the program that an image for batch jobs runs.

Arguments: how many pieces, the pieces of {"columns": [...], "rows": [[...]]}, and the program with its arguments; it is
given two more, the files. Prints {"told": what the program printed, "answers": [{...}], "peak_memory": bytes}, or
{"error": its last words}.
"""

import decimal
import json
import pathlib
import resource
import subprocess
import sys

import pyarrow
import pyarrow.parquet

FOLDER = pathlib.Path("/dev/shm")  # the one place that a container without a writable root has
_LAST = 2000
pieces = int(sys.argv[1]) + 2
asked, program = json.loads("".join(sys.argv[2:pieces])), sys.argv[pieces:]


def column(values):
    try:
        return pyarrow.array(values)
    except (OverflowError, pyarrow.ArrowInvalid):  # whole numbers beyond 64 bits
        return pyarrow.array([value if value is None else decimal.Decimal(value) for value in values])


columns = zip(*asked["rows"], strict=True)
table = pyarrow.table({name: column(values) for name, values in zip(asked["columns"], columns, strict=True)})
pyarrow.parquet.write_table(table, FOLDER / "golden.parquet")
files = [str(FOLDER / name) for name in ("golden.parquet", "answers.parquet")]
done = subprocess.run([*program, *files], capture_output=True, text=True)
if done.returncode:
    found = {"error": f"code {done.returncode}: {(done.stderr or done.stdout)[-_LAST:].strip()}"}
else:
    found = {
        "told": json.loads(done.stdout.splitlines()[-1]),
        "answers": pyarrow.parquet.read_table(files[1]).to_pylist(),
        "peak_memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
    }
print(json.dumps(found))
