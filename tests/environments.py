"""Environments of their own for what the tools of development stay free of, made once for the machine."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_ci.edge import beside, environment, runtime
from mlops_ci.errors import OutsideError
from tests.helpers import must_not_skip

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
"""The real ones: a test has a HOME of its own."""
OURS = CACHES / "mlops-ci" / "tests"
_LOCKS = Path(__file__).parent / "integration"


@contextmanager
def required(what: str) -> Iterator[None]:
    """Where it cannot be installed, the test is skipped at a desk, and fails in CI."""
    try:
        yield
    except OutsideError as error:
        (pytest.fail if must_not_skip() else pytest.skip)(f"{what} cannot be installed: {error}")


def python_with(what: str) -> Path:
    """A Python with what `integration/WHAT_environment` locks."""
    with required(what):
        return environment.resolve(_LOCKS / f"{what}_environment", OURS, say=lambda _: None).python


def signing_kit() -> Path:
    """What checks and makes signatures, laid for this Python as `serve --trust` lays it."""
    with required("cryptography"):
        here = environment.resolve(_LOCKS, OURS, say=lambda _: None)  # no lock there: this Python
        return beside.lay(runtime.kit("trust"), "trust", here, lambda: None)
