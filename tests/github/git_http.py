"""A bare repository over smart HTTP, through `git http-backend` (https://git-scm.com/docs/git-http-backend).

Who may push what is decided by an `update` hook, so that git itself refuses, ref by ref. On GitHub the reason stands
behind the ref; here it stands in the lines before, and the ref says `hook declined`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

# The commits a push brings are those no branch has yet. What another branch has at the same path is no change:
# https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps (`workflow`).
_UPDATE_HOOK = """\
#!/bin/sh
ref=$1 new=$3
for branch in $FAKE_PROTECTED; do
  if [ "$ref" = "refs/heads/$branch" ]; then
    echo "error: GH006: Protected branch update failed for $ref." >&2
    echo "error: Changes must be made through a pull request." >&2
    exit 1
  fi
done
case "$new" in *[!0]*) ;; *) exit 0 ;; esac
[ "$FAKE_MAY_CHANGE_WORKFLOWS" = 1 ] && exit 0
git log -m --format= --name-only --no-renames "$new" --not --all -- .github/workflows | sort -u | while read -r file; do
  wanted=$(git rev-parse --verify --quiet "$new:$file")
  for other in $(git for-each-ref --format='%(objectname)' refs/heads); do
    [ "$(git rev-parse --verify --quiet "$other:$file")" = "$wanted" ] && continue 2
  done
  refused="refusing to allow a GitHub App to create or update workflow"
  echo "$refused \\`$file\\` without \\`workflows\\` permission" >&2
  exit 1
done
"""


class Said(NamedTuple):
    """The answer of git http-backend."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def needed(path: str, query: Mapping[str, str]) -> str:
    """The permission a request of git takes."""
    pushes = path.endswith("/git-receive-pack") or query.get("service") == "git-receive-pack"
    return "contents=write" if pushes else "contents=read"


def call(
    repository: Path,
    rest: str,
    *,
    method: str,
    query: str,
    headers: Mapping[str, str],
    content: bytes,
    login: str,
    protected: Iterable[str],
    may_change_workflows: bool,
) -> Said:
    """Let git answer a request for `rest` (`/info/refs`) below a bare repository."""
    hooks = repository / "fake-hooks"
    hooks.mkdir(exist_ok=True)
    hook = hooks / "update"
    hook.write_text(_UPDATE_HOOK, encoding="utf-8")
    hook.chmod(0o755)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(hooks),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(hooks),
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
        "GIT_PROJECT_ROOT": str(repository),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": rest,
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "REMOTE_USER": login,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(content)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "FAKE_PROTECTED": " ".join(protected),
        "FAKE_MAY_CHANGE_WORKFLOWS": "1" if may_change_workflows else "0",
    }
    done = subprocess.run(["git", "http-backend"], input=content, env=environment, capture_output=True, check=False)
    head, _, said = done.stdout.partition(b"\r\n\r\n")
    answered = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
    status = int(answered.pop("Status", "200").split()[0])
    return Said(status, answered, said)


def heads(repository: Path) -> dict[str, str]:
    """Branch -> commit."""
    command = ["git", "-C", str(repository), "for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: sha for sha, _, name in (line.partition(" ") for line in lines)}
