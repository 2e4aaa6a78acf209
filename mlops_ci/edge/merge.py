"""Three-way merge of a text, by `git merge-file`: everybody knows its rules and its marks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from mlops_ci.edge.git_process import call
from mlops_ci.errors import OutsideError

_MOST_CONFLICTS = 127  # what git can say in its exit code: more are said as this many


class Labels(NamedTuple):
    """What the three sides are called where they conflict."""

    mine: str
    base: str
    new: str


def merge(mine: str, base: str, new: str, labels: Labels) -> str:
    """`mine` with what changed from `base` to `new`; marked in the way of diff3 where both changed the same lines.

    Texts are UTF-8 with surrogateescape and LF. OutsideError where git takes one for no text.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-ci-") as name:
        folder = Path(name)
        for file, text in zip(Labels._fields, (mine, base, new), strict=True):
            (folder / file).write_bytes(text.encode("utf-8", "surrogateescape"))
        named = [word for label in labels for word in ("-L", label)]
        answer = call(folder, "merge-file", "--stdout", "--diff3", *named, *Labels._fields)
    if not 0 <= answer.code <= _MOST_CONFLICTS:
        raise OutsideError(f"git merge-file failed: {answer.err.strip()}", "Is the file text? Bring it back from git.")
    return answer.out.decode("utf-8", "surrogateescape")
