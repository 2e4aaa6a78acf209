"""A container that is asked by programs run in it: it has no network but its own loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.render import templates
from mlops_ci.steps.golden_answers import Unfit

if TYPE_CHECKING:
    from mlops_ci.edge.docker import Ended, Running

SECONDS = 120
"""The longest that anything may take."""
_LAST_BREATH = 5
"""Seconds between a request without an answer and the end of the container that it may be a sign of."""
_LONGEST_ARGUMENT = 100_000
"""Bytes: Linux takes 128 KiB in one argument."""


class Asked(NamedTuple):
    """What was asked in a container that runs, where it listens, and what it may use, bytes."""

    container: Running
    port: int
    memory: int

    def ready(self, path: str, *body: str) -> float:
        """Seconds until it answered with 200; Unfit where it does not."""
        began = time.monotonic()
        status, told = self.once(path, *body, patience=SECONDS)
        seconds = time.monotonic() - began
        if status == 200:
            return seconds
        state = self.container.wait(_LAST_BREATH)
        if state.code is None:
            raise Unfit(f"it was not ready within {SECONDS} s: {told[:200]}")
        raise ended(state, self.memory, "it does not start")

    def answer(self, path: str, *body: str) -> str:
        """What it answers to the golden requests; Unfit where that is not 200."""
        status, told = self.once(path, *body)
        if status == 0 and (state := self.container.wait(_LAST_BREATH)).code is not None:
            raise ended(state, self.memory, "it ended at the golden requests")
        if status != 200:
            raise Unfit(f"it answers the golden requests with {status}: {told[:200]}")
        return told

    def once(self, path: str, *body: str, patience: int = 0) -> tuple[int, str]:
        """Status, 0 where there was no answer, and content; asked again for so many seconds."""
        found = self.container.ask("python3", "-c", program("ask"), str(self.port), str(patience), path, *body)
        status, _, content = found.output.partition("\n")
        return (int(status), content) if found.code == 0 and status.isdigit() else (0, found.output)

    def peak(self, *left_out: int) -> int:
        """Bytes: the largest resident size of its processes together, but for these; what they share counts for each.

        The peak of its control group is no better: that holds the files it has read, and the programs that ask it.
        """
        found = self.container.ask("python3", "-c", program("memory"), *map(str, left_out))
        return int(found.output) if found.output.strip().isdigit() else 0


def program(name: str) -> str:
    """One of those that run in the container."""
    return (templates() / "smoke" / f"{name}.py").read_text(encoding="utf-8")


def cut(text: str) -> list[str]:
    """A text of ASCII in pieces that fit one argument each."""
    return [text[at : at + _LONGEST_ARGUMENT] for at in range(0, len(text), _LONGEST_ARGUMENT)]


def ended(state: Ended, memory: int, otherwise: str) -> Unfit:
    """Why a container ended, in words."""
    if state.out_of_memory:
        return Unfit(f"it needs more than the {memory // 2**20} MiB of package.memory")
    return Unfit(f"{otherwise} (code {state.code}):\n{state.output.strip()}")
