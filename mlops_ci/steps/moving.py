"""A move that was judged, carried out: the environment's files and the ledger, together or not at all."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, NamedTuple

from mlops_ci.config import environment_file, yaml
from mlops_ci.edge import branches, remote
from mlops_ci.ledger import names
from mlops_ci.promotion.rules import Way
from mlops_ci.steps import environments, ledger
from mlops_ci.steps.publish import publish

if TYPE_CHECKING:
    from mlops_ci.ledger.entries import Entry
    from mlops_ci.reports.story import Story
    from mlops_ci.steps.promotion import Settled

_START = """# What runs in {environment} of {project}. Only `mlops-ci promote` and `mlops-ci rollback` change it.
"""


class Proposed(NamedTuple):
    """A pull request."""

    number: int
    address: str


class Carried(NamedTuple):
    """Where the change is: a commit on a branch, by a decision; `pull` where it waits to be merged."""

    commit: str
    branch: str
    decision: str
    pull: Proposed | None = None


def text_after(settled: Settled, story: Story) -> str:
    """The environment's file as the move leaves it."""
    site = settled.site
    start = _START.format(environment=site.name, project=site.config.project)
    move = story.evidence.move or None
    quarantined = (move.quarantined or None) if move else None
    before = site.text if site.text and site.text.strip() else start
    return environment_file.written(before, settled.ref, story.decision_id, quarantined, file=site.path)


def files_after(settled: Settled, story: Story) -> dict[str, str]:
    """All that the move changes, from the root of the repository: that file, and what is deployed from."""
    return {settled.site.path: text_after(settled, story), **settled.files}


def change(settled: Settled, story: Story) -> str:
    """What the move changes in the environment's files, as a unified diff."""
    return "".join(
        line
        for path, text in sorted(files_after(settled, story).items())
        for line in unified_diff(
            _now(settled, path).splitlines(keepends=True), text.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
    )


def _now(settled: Settled, path: str) -> str:
    data = settled.project.repository.show(settled.site.commit, path)
    return "" if data is None else yaml.decode(data, file=path)


def refuse(settled: Settled, entry: Entry) -> None:
    """Record that it was refused; where the remote is to hear of it, there too."""
    if settled.wish.way is Way.COMMIT:
        ledger.record(settled.project.repository, entry)
    else:
        publish(settled.project.repository, [entry])


def carry_out(settled: Settled, story: Story, entry: Entry) -> Carried | None:
    """Write files and decision. None where somebody was faster: then neither is there, and it is to be settled anew."""
    repository, site = settled.project.repository, settled.site
    branch = environments.default_branch(settled.project)
    files = {path: text.encode() for path, text in files_after(settled, story).items()}
    commit = branches.commit_over(repository, site.commit, files, message=_message(settled, story))
    with branches.alone(repository):
        if settled.wish.way is Way.COMMIT and repository.find(f"refs/heads/{branch}") != site.commit:
            return None
        recorded, done = ledger.append(repository, entry), False
        try:
            if settled.wish.way is Way.COMMIT:
                done = branches.advance(repository, branch, site.commit, commit)
            else:
                target = branch if settled.wish.way is Way.PUSH else proposal(settled, story.decision_id)
                ledgered = f"{recorded.commit}:refs/heads/{names.BRANCH}"
                done = remote.push(repository, f"{commit}:refs/heads/{target}", ledgered)
                branch = target
        finally:
            if not done:
                ledger.withdraw(repository, recorded)
    return Carried(commit, branch, story.decision_id) if done else None


def proposal(settled: Settled, decision: str) -> str:
    """The branch of a pull request that moves an environment by a decision."""
    verb = "rollback" if settled.wish.back else "promote"
    place = f"{settled.site.config.project}/{settled.site.name}"
    return f"mlops-ci/{verb}/{place}-{settled.release.release}-{decision[:8]}"


def title(settled: Settled) -> str:
    """Of the commit, and of the pull request."""
    site, release = settled.site, settled.release.release
    told = f"Roll back {site.name} to {release}" if settled.wish.back else f"Promote {release} to {site.name}"
    return f"{site.config.project}: {told}" if settled.project.folder else told


def _message(settled: Settled, story: Story) -> str:
    """The trailer is a convenience: what counts is in the file, as a squash drops trailers."""
    return f"{title(settled)}\n\n{story.decision.reason}\n\nMlops-Decision: {story.decision_id}\n"
