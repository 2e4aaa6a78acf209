"""The one comment on a pull request, kept up to date in place; an older run never overwrites a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.reports import comment
from mlops_ci.reports.comment import Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_ci.edge.github.client import GitHub
    from mlops_ci.edge.github.values import Comment

_BOT = "[bot]"


def upsert(hub: GitHub, pull: int, mark: Mark, told: Callable[[Mark], str]) -> str:
    """Write the comment that `told` makes of the mark; its address, empty where a newer run has written it already."""
    before = _ours(hub, pull)
    if before is None:
        made = hub.create_comment(pull, told(mark))
        first = _ours(hub, pull)
        if first is not None and first[0].id != made.id:  # two jobs began at once: the elder stays
            hub.delete_comment(made.id)
            return upsert(hub, pull, mark, told)
        return made.html_url
    there, old = before
    if old.is_newer_than(mark.run, mark.attempt):
        return ""
    followed = msgspec.structs.replace(mark, earlier=old.followed_by(mark))
    return hub.update_comment(there.id, told(followed)).html_url


def _ours(hub: GitHub, pull: int) -> tuple[Comment, Mark] | None:
    """The eldest comment with our mark that a bot wrote: a person's copy of it is not ours."""
    found = [
        (each, mark)
        for each in hub.comments(pull)
        if each.login.endswith(_BOT) and (mark := comment.read_mark(each.body)) is not None
    ]
    return min(found, key=lambda pair: pair[0].id, default=None)
