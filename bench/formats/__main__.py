"""`python -m bench.formats [--write]`: export every case, print docs/formats-matrix.md or write it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.formats.page import page
from mlops_ci.edge import environment, exporter

_REPOSITORY = Path(__file__).parents[2]
_PAGE = _REPOSITORY / "docs" / "formats-matrix.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.formats", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page instead of printing it")
    chosen = parser.parse_args()
    kit = exporter.install(here(), lambda text: print(text, file=sys.stderr))
    made = page(exported(kit, "all"), exported(kit, "steps"))
    if chosen.write:
        _PAGE.write_text(made, encoding="utf-8")
    else:
        print(made, end="")


def here() -> environment.ProjectEnvironment:
    """The environment this runs in, whose models are exported."""
    version = ".".join(map(str, sys.version_info[:3]))
    return environment.ProjectEnvironment(
        python=Path(sys.executable), digest="", locked=False, packages={}, version=version, source="bench"
    )


def exported(kit: Path, cases: str, python: str = sys.executable) -> list[dict[str, Any]]:
    """What the script run.py says of these cases, in that Python: name, kind, task, and the answer of the job."""
    variables = {**os.environ, "PYTHONPATH": str(_REPOSITORY), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    script = str(Path(__file__).parent / "run.py")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, script, str(kit), folder, cases], env=variables, capture_output=True, text=True, check=False
        )
    _, mark, told = done.stdout.rpartition("rows:")
    if not mark:
        raise RuntimeError(done.stderr[-3000:])
    rows: list[dict[str, Any]] = json.loads(told)
    return rows


if __name__ == "__main__":
    main()
