"""ask: a release or a bundle → the server that should hold it → does it answer as judged."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops_ci.records.served import Reply
from mlops_ci.reports import numbers
from mlops_ci.steps import ask as step
from mlops_ci.steps.bundles import find_bundle
from mlops_ci.steps.progress import Clock, Progress


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which server, what it should hold, the variable with its token, and for how many seconds it may be otherwise."""

    address: str
    bundle: str
    token_env: str = ""
    wait: float = 0.0


def ask(start: Path, asked: Asked, progress: Progress) -> Reply:
    """Ask it."""
    clock = Clock(progress)
    server = step.served(asked.address, asked.token_env)
    found = find_bundle(start, asked.bundle, progress.note)
    release = step.release_of(found.folder, found.release)
    with clock.step("ask", f"asking {server.address}") as line:
        reply = step.ask(server, release, asked.wait)
        line.found = f"{numbers.plural(reply.rows, 'answer')} as judged" if reply.ok else "refused"
    return reply
