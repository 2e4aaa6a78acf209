"""One git process, started by GitPython: the only module that imports it.

No process sees the caller's GIT_* variables, which a hook or another tool sets and which send git to another
repository (https://github.com/gitpython-developers/GitPython/issues/535); none has a pager, editor, prompt or hook.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from subprocess import Popen

_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_SETTINGS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"),
    *("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "submodule.recurse=false"),
    *("-c", "log.showSignature=false", "-c", "log.showRoot=true", "-c", "i18n.logOutputEncoding=UTF-8"),
)
# How a remote is reached and paid entry to; none of them says which repository is meant.
_TRANSPORT = re.compile(
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|PROXY_COMMAND|ALLOW_PROTOCOL|SSL_\w+|HTTP_\w+"
    r"|CONFIG_(GLOBAL|SYSTEM|COUNT|KEY_\d+|VALUE_\d+))"
)
_environment_lock = threading.Lock()


class Answer(NamedTuple):
    """What one git process said."""

    code: int
    out: bytes
    err: str


@contextmanager
def _started(
    folder: Path,
    arguments: tuple[str, ...],
    stdin: BinaryIO | None,
    *,
    network: bool = False,
    index: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Popen[bytes]]:
    """A git process. The variables are taken away only while it starts: GitPython copies os.environ then."""
    from subprocess import PIPE

    with _without_git_variables(keep_transport=network):
        try:
            import git
        except ImportError as error:
            raise _not_installed() from error
        # -C, as GitPython falls back to the current folder when this one is gone.
        command = [git.Git.GIT_PYTHON_GIT_EXECUTABLE or "git", "-C", str(folder), *_SETTINGS, *arguments]
        environment = _QUIET | ({"GIT_INDEX_FILE": str(index)} if index else {}) | _as_variables(settings or {})
        own_session = os.name == "posix" and network  # without a terminal ssh cannot ask for a password
        try:
            interrupted = git.Git().execute(
                command, istream=stdin or PIPE, env=environment, as_process=True, start_new_session=own_session
            )
        except git.GitCommandNotFound as error:
            raise _not_installed() from error
    process = cast("Popen[bytes]", interrupted.proc)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        process.wait()


def call(
    folder: Path,
    *arguments: str,
    stdin: bytes = b"",
    network: bool = False,
    index: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> Answer:
    """Run git in `folder` to its end.

    `network`: keep the variables that say how a remote is reached. `index`: the file to use as the index. `settings`:
    of this process alone; they may be secret, so they are no arguments, which others can list.
    """
    with _started(folder, arguments, None, network=network, index=index, settings=settings) as process:
        out, err = process.communicate(stdin)
        return Answer(process.returncode, out, err.decode("utf-8", "replace"))


@contextmanager
def stream(folder: Path, *arguments: str, stdin: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """Run git in `folder` and read what it says as it says it; it is stopped when the reader has enough."""
    with _started(folder, arguments, stdin) as process:
        yield cast("BinaryIO", process.stdout)


def decoded(out: bytes) -> str:
    """What git says, without its last line end; bytes that are no UTF-8 are kept as os.fsdecode does."""
    return out.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def without_password(text: str) -> str:
    """A text without the user and password of the addresses in it."""
    return re.sub(r"(://)[^/@\s]+@", r"\1", text)


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings after those the caller's variables hold: https://git-scm.com/docs/git-config#ENVIRONMENT."""
    if not settings:
        return {}
    before = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    found = {"GIT_CONFIG_COUNT": str(before + len(settings))}
    for number, (key, value) in enumerate(settings.items(), start=before):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


@contextmanager
def _without_git_variables(*, keep_transport: bool) -> Iterator[None]:
    with _environment_lock:
        names = [name for name in os.environ if name.startswith("GIT_")]
        kept = [name for name in names if keep_transport and _TRANSPORT.fullmatch(name)]
        taken = {name: os.environ.pop(name) for name in names if name not in kept}
        try:
            yield
        finally:
            os.environ.update(taken)


def _not_installed() -> OutsideError:
    return OutsideError("git is not installed, or not on PATH", "Install git 2.31 or newer: https://git-scm.com")
