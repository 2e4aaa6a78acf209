"""Runs a bundle with the runtime and the environment it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from mlops_ci.edge import runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run_server(bundle: Path, options: tuple[str, ...], trust: Path | None, say: Callable[[str], None]) -> NoReturn:
    """Become the server of a bundle: signals and exit codes are its own from here on."""
    runtime.become(bundle, options, trust, say)
