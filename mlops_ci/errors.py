"""What stops a run, and the code each kind of stop leaves with.

Bad news about data or a model is never an exception: it is a Result, a Verdict or a Decision.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The answer of every command, for scripts. README's table is compared with this by a test."""

    PASSED = 0
    """passed, or nothing to do"""
    BUG = 1
    """a bug in mlops-ci"""
    USAGE = 2
    """wrong usage or settings"""
    OUTSIDE = 3
    """the outside world failed (git, network, Docker, registry, disk) and no decision was made"""
    REFUSED = 10
    """failed or undecided"""
    ERRORED = 11
    """could not be judged: user code crashed, labels missing, a check that must run did not"""
    INTERRUPTED = 130
    """interrupted"""


class MlopsCiError(Exception):
    """A stop the user can act on.

    `message` says what failed and what was found, `advice` what is allowed or what to do,
    `where` the file, line and key (`mlops.yaml:12: gates[1]`).
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    code: str = "bug"

    def __init__(self, message: str, advice: str = "", *, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.where = where

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n{self.advice}" if self.advice else head


class UsageError(MlopsCiError):
    """An option or argument that cannot be used."""

    exit_code = ExitCode.USAGE
    code = "usage"


class ConfigError(MlopsCiError):
    """A settings file (mlops.yaml, the contract, waivers) that cannot be used."""

    exit_code = ExitCode.USAGE
    code = "settings"


class OutsideError(MlopsCiError):
    """git, the disk, the network or another program failed, and nothing was decided."""

    exit_code = ExitCode.OUTSIDE
    code = "outside"


class SourceError(MlopsCiError):
    """A data source that is missing or cannot be read: nothing could be judged."""

    exit_code = ExitCode.ERRORED
    code = "data"


class UserCodeError(MlopsCiError):
    """The project's own code crashed, was killed or returned something unusable.

    `details` is the user's own traceback or the last lines it printed, with nothing of ours in it.
    """

    exit_code = ExitCode.ERRORED
    code = "user-code"

    def __init__(self, message: str, advice: str = "", *, where: str = "", details: str = "") -> None:
        super().__init__(message, advice, where=where)
        self.details = details


class InputError(MlopsCiError):
    """A file that a model is not asked about: `code` says which rule it breaks, as a server's answer does."""

    exit_code = ExitCode.REFUSED

    def __init__(self, code: str, message: str, advice: str = "", *, where: str = "") -> None:
        super().__init__(message, advice, where=where)
        self.code = code
