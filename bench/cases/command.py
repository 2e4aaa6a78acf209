"""The command `python -m bench.cases`: no answer is a 500 or outside /openapi.json, in ten thousand cases.

Schemathesis (https://schemathesis.readthedocs.io), in an environment of its own, makes requests that fit the
description and such that do not, of several bundles; all its checks of answers are on. Exit code 1 where one fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from itertools import count, cycle
from pathlib import Path
from typing import Any, NamedTuple

from mlops_ci.edge import environment
from tests import serving_bundles
from tests.serving_client import Running, running

_LOCK = Path(__file__).parent
_CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlops-ci" / "bench"
_TOKEN = "secret"
# Text, categories, missing values; thirty numbers; two numbers and one answer.
_BUNDLES: tuple[Callable[[], dict[str, bytes]], ...] = (
    serving_bundles.multiclass,
    serving_bundles.regression,
    serving_bundles.binary,
)
# What is too large is refused by a status of its own, which Schemathesis would not count as a refusal.
_SETTINGS = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 404, 405, 413, 415]
"""


class Found(NamedTuple):
    """What came of one run of Schemathesis; `words` are all it said."""

    cases: int
    failed: int
    words: str


def main(arguments: Sequence[str] = ()) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.cases", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="at least so many (10,000)")
    parser.add_argument("--examples", type=int, default=300, help="made for one path in a run (300)")
    chosen = parser.parse_args(arguments)
    python, made = schemathesis(), 0
    with tempfile.TemporaryDirectory() as folder:
        for seed, bundle in zip(count(1), cycle(_BUNDLES)):
            found = run(python, Path(folder) / str(seed), bundle, examples=chosen.examples, seed=seed)
            made += found.cases
            print(f"{bundle.__name__}, seed {seed}: {found.cases:,} cases, {found.failed} failed", flush=True)
            if found.failed:
                print(found.words)
                return 1
            if made >= chosen.cases:
                break
    print(f"{made:,} cases: every answer is one that is described, and none is a 500")
    return 0


def schemathesis() -> Path:
    """A Python with Schemathesis, made once. Raises OutsideError where it cannot be."""
    return environment.resolve(_LOCK, _CACHES, say=lambda _: None).python


def run(python: Path, folder: Path, bundle: Callable[[], dict[str, bytes]], *, examples: int, seed: int) -> Found:
    """Serve the bundle below `folder`, and ask it."""
    served = serving_bundles.write(folder / "bundle", _limited(bundle()))
    (folder / "schemathesis.toml").write_text(_SETTINGS, encoding="utf-8")
    options = ("--token-env", "TOKEN", "--log", str(folder / "log"))
    with running(served, *options, TOKEN=_TOKEN) as server:
        report = folder / "report.json"
        done = subprocess.run(
            [python.parent / "st", *_arguments(server, report, examples, seed)],
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )
    if not report.is_file():
        raise RuntimeError(done.stdout + done.stderr)
    told: dict[str, Any] = json.loads(report.read_bytes())
    failed = told["test_cases"]["with_failures"] + told["test_cases"]["errored"]
    return Found(told["test_cases"]["generated"], failed or done.returncode, done.stdout)


def _limited(files: dict[str, bytes]) -> dict[str, bytes]:
    """With limits to every number: of any that 32 bits hold a model may have no finite answer, and then says so."""
    serving = json.loads(files["serving.json"])
    for column in serving["inputs"]:
        if column["kind"] in ("integer", "float"):
            column.setdefault("minimum", -1_000_000)
            column.setdefault("maximum", 1_000_000)
    return files | {"serving.json": json.dumps(serving).encode()}


def _arguments(server: Running, report: Path, examples: int, seed: int) -> list[str]:
    base = f"http://127.0.0.1:{server.port}"
    return [
        *("run", f"{base}/openapi.json", "--url", base, "--header", f"Authorization: Bearer {_TOKEN}", "--no-color"),
        *("--checks", "all", "--phases", "coverage,fuzzing", "--continue-on-failure", "--no-shrink"),
        *("--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none"),
        *("--report", "json", "--report-json-path", str(report)),
    ]
