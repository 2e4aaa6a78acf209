"""The smoke test of an image: in a container that may do nothing else, it starts and answers as the judged model."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci.edge.docker import Ended, Engine, Run, Running
from mlops_ci.packaging.image import PORT
from mlops_ci.records.images import Built, Smoke
from mlops_ci.reports import numbers

_SECONDS = 120
_SHA256 = "sha256:"
_LAST_BREATH = 5
"""Seconds between a request without an answer and the end of the container that it may be a sign of."""
_ROOT = ("", "0", "root")
_LONGEST_ARGUMENT = 100_000
"""Bytes: Linux takes 128 KiB in one argument."""

# Run by the image's own Python inside the container, which has no network but its loopback. With a number first, it
# asks until it is answered with 200 or so many seconds have passed.
_ASK = f"""
import http.client, sys, time
patience, path, *body = sys.argv[1:]
end = time.monotonic() + float(patience)
while True:
    try:
        server = http.client.HTTPConnection("127.0.0.1", {PORT}, timeout=60)
        method = "POST" if body else "GET"
        server.request(method, path, "".join(body) or None, {{"Content-Type": "application/json"}})
        answer = server.getresponse()
        status, content = answer.status, answer.read()
    except OSError as error:
        status, content = 0, str(error).encode()
    if status == 200 or time.monotonic() > end:
        break
    time.sleep(0.02)
sys.stdout.buffer.write(b"%d\\n" % status + content)
"""
_MEMORY = """
import os, re, pathlib
peak = 0
for status in pathlib.Path("/proc").glob("[0-9]*/status"):
    if status.parent.name != str(os.getpid()):
        peak += sum(int(found) for found in re.findall(r"VmHWM:\\s*(\\d+) kB", status.read_text()))
print(peak * 1024)
"""


class _Golden(msgspec.Struct, frozen=True):
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    answers: dict[str, tuple[Any, ...]]
    tolerance: float
    fingerprint: str


class _Error(msgspec.Struct, frozen=True):
    message: str


class _Check(msgspec.Struct, frozen=True):
    """What the runtime prints for `--check`: digest and fingerprint, or an error."""

    digest: str = ""
    fingerprint: str = ""
    error: _Error | None = None


class _Answer(msgspec.Struct, frozen=True):
    predictions: tuple[dict[str, Any], ...]


class _Unfit(Exception):  # noqa: N818 - not an error: the answer is no
    """Why the image is not good enough."""


def smoke(engine: Engine, built: Built, bundle: Path, digest: str, *, memory: int) -> Smoke:
    """Start the image with `memory` bytes, ask it the golden requests, compare fingerprint and digest."""
    golden = msgspec.json.decode((bundle / "golden.json").read_bytes(), type=_Golden)
    try:
        if built.user.partition(":")[0] in _ROOT:
            raise _Unfit("it runs as root: give its Dockerfile a line such as USER 65532:65532")
        fingerprint = _check(engine, Run(image=built.image, command=("--check",), memory=memory), golden, digest)
        with engine.running(Run(image=built.image, memory=memory)) as container:
            seconds = _ready(container, memory)
            rows = _answers(container, golden, memory)
            peak = container.ask("python3", "-c", _MEMORY)
    except _Unfit as unfit:
        return Smoke(ok=False, reason=str(unfit), memory=memory)
    return Smoke(
        ok=True,
        seconds=seconds,
        rows=rows,
        fingerprint=fingerprint,
        peak_memory=int(peak.output) if peak.output.strip().isdigit() else 0,
        memory=memory,
    )


def _check(engine: Engine, run: Run, golden: _Golden, digest: str) -> str:
    with engine.running(run) as container:
        ended = container.wait(_SECONDS)
    if ended.code is None:
        raise _Unfit(f"it did not check itself within {_SECONDS} s")
    found = _printed(ended)
    if found is None:
        raise _ended(ended, run.memory, "it does not start")
    if found.error is not None:
        raise _Unfit(f"it refuses to serve: {found.error.message}")
    for what, there, wanted in (
        ("it holds another bundle", found.digest, digest),
        ("its answers have another fingerprint", found.fingerprint, golden.fingerprint),
    ):
        if there.removeprefix(_SHA256) != wanted.removeprefix(_SHA256):
            raise _Unfit(f"{what}: {numbers.short(there)}, not {numbers.short(wanted)}")
    return found.fingerprint


def _printed(ended: Ended) -> _Check | None:
    """The answer among the last lines, of which libraries may have printed some."""
    for line in reversed(ended.output.splitlines()):
        try:
            return msgspec.json.decode(line, type=_Check)
        except msgspec.MsgspecError:
            continue
    return None


def _ready(container: Running, memory: int) -> float:
    """Seconds until it was ready."""
    began = time.monotonic()
    status, told = _asked(container, "/ready", patience=_SECONDS)
    seconds = time.monotonic() - began
    if status == 200:
        return seconds
    state = container.wait(_LAST_BREATH)
    if state.code is None:
        raise _Unfit(f"it was not ready within {_SECONDS} s: {told[:200]}")
    raise _ended(state, memory, "it does not start")


def _answers(container: Running, golden: _Golden, memory: int) -> int:
    """Ask for the golden rows; how many were answered as the judged model did: all, or _Unfit is raised."""
    body = json.dumps({"dataframe_split": {"columns": golden.columns, "data": golden.rows}})
    pieces = [body[at : at + _LONGEST_ARGUMENT] for at in range(0, len(body), _LONGEST_ARGUMENT)]
    status, told = _asked(container, "/invocations", *pieces)
    if status == 0 and (state := container.wait(_LAST_BREATH)).code is not None:
        raise _ended(state, memory, "it ended at the golden requests")
    if status != 200:
        raise _Unfit(f"it answers the golden requests with {status}: {told[:200]}")
    try:
        found = msgspec.json.decode(told, type=_Answer).predictions
    except msgspec.MsgspecError as error:
        raise _Unfit(f"its answer cannot be read: {error}") from None
    if len(found) != len(golden.rows):
        raise _Unfit(f"it answers {len(found)} of {len(golden.rows)} rows")
    for output, expected in golden.answers.items():
        for row, (answer, value) in enumerate(zip(found, expected, strict=True)):
            if not _equal(answer.get(output), value, golden.tolerance):
                raise _Unfit(f"{output} of golden row {row} is {answer.get(output)!r}; the judged model says {value!r}")
    return len(found)


def _asked(container: Running, path: str, *body: str, patience: int = 0) -> tuple[int, str]:
    """Status, 0 where there was no answer, and content."""
    ended = container.ask("python3", "-c", _ASK, str(patience), path, *body)
    status, _, content = ended.output.partition("\n")
    return (int(status), content) if ended.code == 0 and status.isdigit() else (0, ended.output)


def _equal(found: object, expected: object, tolerance: float) -> bool:
    """Numbers within the tolerance, of their size beyond 1; all else the same. A boolean is no number."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (found, expected))
    if not numbers:
        return type(found) is type(expected) and found == expected
    return math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)  # type: ignore[arg-type]


def _ended(state: Ended, memory: int, otherwise: str) -> _Unfit:
    if state.out_of_memory:
        return _Unfit(f"it needs more than the {memory // 2**20} MiB of package.memory")
    return _Unfit(f"{otherwise} (code {state.code}):\n{state.output.strip()}")
