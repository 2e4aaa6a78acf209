"""The anchor: the decision that the settings pin, found in the ledger."""

from __future__ import annotations

import msgspec

from mlops_ci.edge.git import Repository
from mlops_ci.records.decisions import DecisionKind
from mlops_ci.records.outcomes import Outcome
from mlops_ci.steps import ledger
from mlops_ci.steps.ledger import StoredDecision

_FETCH = "fetch the ledger (git fetch origin mlops-reports), or name another in `anchor:`"


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that passed, or why there is none of that name."""

    name: str
    """`the anchor, a1b2c3d`: the commit, or what the settings say where nothing is found."""
    stored: StoredDecision | None = None
    reason: str = ""


def find_anchor(repository: Repository, project: str, asked: str) -> Anchor:
    """The check whose id or commit begins with `asked`; of several of one commit the last recorded that passed."""
    nothing = Anchor(name=f"the anchor, {asked[:7]}")
    rows = ledger.history(repository, project=project)
    found = [row for row in rows if row.id.startswith(asked) or row.commit.startswith(asked)]
    if not found:
        return msgspec.structs.replace(nothing, reason=f"no decision about {project} begins so here; {_FETCH}")
    passed = [row for row in found if (row.kind, row.outcome) == (DecisionKind.CHECK, Outcome.PASSED)]
    if not passed:
        told = f"decision {found[0].id[:12]} did not pass ({found[0].outcome}); name one that did in `anchor:`"
        return msgspec.structs.replace(nothing, reason=told)
    if len({row.commit for row in passed}) > 1:
        told = f"decisions about {len({row.commit for row in passed})} commits begin so; give more digits in `anchor:`"
        return msgspec.structs.replace(nothing, reason=told)
    stored = ledger.find(repository, passed[0].id)
    return Anchor(name=f"the anchor, {passed[0].commit[:7]}", stored=stored)
