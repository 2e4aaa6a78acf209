"""Whether owners of what decides agree that a pull request changes it: by approving its very head on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import codeowners
from mlops_ci.config.codeowners import Codeowners
from mlops_ci.records.decisions import Opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_ci.edge.git import Repository
    from mlops_ci.edge.github.client import GitHub
    from mlops_ci.edge.github.values import PullRequest, Review

_SAYS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
"""A comment takes nothing back."""
_MAY_WRITE = ("admin", "write")


class Owners(msgspec.Struct, frozen=True, kw_only=True):
    """Who may agree that `commit` changes what decides. `tip`: of the default branch, whose CODEOWNERS counts."""

    hub: GitHub
    pull: PullRequest | None
    repository: Repository
    commit: str
    tip: str

    def agree(self, paths: Sequence[str]) -> Opening | None:
        """Who approved the head, where every path (from the root of the repository) has an owner among them."""
        if self.pull is None or not paths:
            return None
        approved = {
            login: self.hub.permission(login)
            for login in _approved(self.hub.reviews(self.pull.number), self.pull, self.commit)
        }
        listed = _codeowners(self.repository, self.tip)
        by: dict[str, None] = {}
        for path in paths:
            owner = next((login for login, may in approved.items() if _owns(login, may, listed.owners(path))), None)
            if owner is None:
                return None
            by[owner] = None
        return Opening(by=tuple(by), commit=self.commit)


def _owns(login: str, may: str, owners: tuple[str, ...]) -> bool:
    """Who is in a team, or has an e-mail address, the token of a job cannot ask: there an administrator may agree."""
    if f"@{login}".casefold() in {owner.casefold() for owner in owners}:
        return may in _MAY_WRITE
    named = owners and all(owner.startswith("@") and "/" not in owner for owner in owners)
    return may == "admin" and not named


def _approved(reviews: Sequence[Review], pull: PullRequest, commit: str) -> list[str]:
    """Logins whose last word is an approval of the commit; never its author's, nor a bot's."""
    last = {review.login.casefold(): review for review in reviews if review.state in _SAYS}
    return [
        review.login
        for name, review in last.items()
        if review.state == "APPROVED"
        and review.commit_id == commit
        and not review.is_bot
        and name != pull.login.casefold()
    ]


def _codeowners(repository: Repository, commit: str) -> Codeowners:
    for place in codeowners.PLACES:
        data = repository.show(commit, place)
        if data is not None:
            return (
                codeowners.parse(data.decode("utf-8", "replace")) if len(data) <= codeowners.LARGEST else Codeowners()
            )
    return Codeowners()
