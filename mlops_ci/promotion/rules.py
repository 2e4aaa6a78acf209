"""The rules of an environment, one function each: what was found, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from mlops_ci.config import freeze
from mlops_ci.config.settings import Environment
from mlops_ci.records.decisions import Decision, DecisionKind, Trust
from mlops_ci.records.environments import EnvironmentFile, Stay
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.releases import Release
from mlops_ci.records.results import Part, Result, Where

_TRUST = tuple(Trust)
"""From the least trusted to the most."""
_LATEST = timedelta(minutes=5)
"""How far clocks may be apart."""


class Way(StrEnum):
    """How the change reaches the default branch."""

    PULL_REQUEST = "pull-request"
    PUSH = "push"
    COMMIT = "commit"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A release that asks for an environment, and all that decides."""

    environment: str
    rules: Environment
    where: Where
    """The environment in mlops.yaml."""
    state: EnvironmentFile
    release: Release
    project: str
    made: Decision | None
    """What made it a release; None: the ledger has no such decision."""
    bundle: str
    """The digest of what that decision packaged, or took in."""
    judged: Decision | None
    """What passed its model; None: the ledger has no such decision, or the model was imported."""
    against: str = ""
    """A later word against its model: a decision of the same commit that did not pass, in words."""
    stay: Stay | None = None
    """Its longest stay in the environment before."""
    now: datetime
    newest: str
    """Time of the newest commit that is known, ISO 8601 UTC."""
    unfit: str = ""
    """Why its image cannot be written into the files that are deployed, in words."""
    way: Way


_Rule = Callable[[Asked], Result]


def promotion(asked: Asked) -> tuple[Result, ...]:
    """Whether it may be promoted: every rule's answer, those nobody set as skipped."""
    asked_all = (released, clock, evidence, trust, quarantine, order, soak, frozen, approvals, image)
    return tuple(rule(asked) for rule in asked_all)


def rollback(asked: Asked) -> tuple[Result, ...]:
    """Going back must work at night and in a freeze: what it is, that it was not rolled back, that it deploys."""
    return tuple(rule(asked) for rule in (released, clock, quarantine, image))


def released(asked: Asked) -> Result:
    """It is the release its number says: made here, by a decision that passed, from that bundle."""
    made, release = asked.made, asked.release
    if release.project != asked.project:
        return _no("release", f"{release.release} is a release of {release.project}, not of {asked.project}")
    if made is None:
        return _no("release", f"the ledger has no decision {release.decision[:12]} that made {release.release}")
    if made.kind not in (DecisionKind.RELEASE, DecisionKind.IMPORT) or made.project != asked.project:
        word = f"a {made.kind} of {made.project}"
        return _no("release", f"the decision {release.decision[:12]} that {release.release} names is {word}")
    if made.outcome is not Outcome.PASSED:
        return _no("release", f"the decision {release.decision[:12]} refused {release.release}")
    if asked.bundle != release.bundle:
        return _no("release", f"the decision {release.decision[:12]} made another bundle than {release.release} names")
    return _yes("release", f"{release.release}, bundle {release.bundle[:12]}, made by {release.decision[:12]}")


def clock(asked: Asked) -> Result:
    """The clock here is not behind what git has seen: soak and freeze would be asked of a time that has passed."""
    newest = _time(asked.newest)
    if newest - asked.now > _LATEST:
        told = f"it is {_text(asked.now)} here, and a commit says {_text(newest)}: one of the two clocks is wrong"
        return _result("clock", Status.ERRORED, told)
    return _yes("clock", f"asked at {_text(asked.now)}")


def evidence(asked: Asked) -> Result:
    """The decision on its model passed, and no later one of the same commit says otherwise."""
    if asked.release.imported:
        return _off("evidence", f"{asked.release.release} was imported: nobody judged its model")
    judged, name = asked.judged, asked.release.judged[:12]
    if judged is None:
        return _no("evidence", f"the ledger has no decision {name} that passed its model")
    if judged.project != asked.project or judged.subject.commit != asked.release.commit:
        return _no("evidence", f"the decision {name} is about another commit or project")
    if judged.outcome is not Outcome.PASSED:
        return _no("evidence", f"the decision {name} did not pass its model")
    if asked.against:
        return _no("evidence", asked.against)
    return _yes("evidence", f"its model passed as decision {name}, and no later one says otherwise")


def trust(asked: Asked) -> Result:
    """Where the decisions were made."""
    if asked.rules.trust is None:
        return _off("trust", "no trust is asked for")
    least = Trust(asked.rules.trust)
    found = [one.trust for one in (asked.made, asked.judged) if one is not None]
    lowest = min(found, key=_TRUST.index, default=Trust.DESK)
    if _TRUST.index(lowest) < _TRUST.index(least):
        return _no("trust", f"decided at trust {lowest}, {asked.environment} takes {least}", asked.where)
    return _yes("trust", f"decided at trust {lowest}")


def quarantine(asked: Asked) -> Result:
    """Its bundle was not rolled back here, or somebody lifted that by a commit."""
    entry = asked.state.quarantined(asked.release.bundle)
    if entry is None:
        return _yes("quarantine", f"its bundle was never rolled back in {asked.environment}")
    told = f"{entry.release} was rolled back by {entry.by}: {entry.reason}"
    return _no("quarantine", f"{told}. Only a commit that removes the entry from the file lifts it")


def order(asked: Asked) -> Result:
    """It ran in the environment before."""
    before = asked.rules.after
    if before is None:
        return _off("order", "no environment comes before")
    if asked.stay is None:
        return _no("order", f"{asked.release.release} never ran in {before}", asked.where)
    still = "since" if not asked.stay.until else f"until {asked.stay.until}, from"
    return _yes("order", f"in {before} {still} {asked.stay.since}")


def soak(asked: Asked) -> Result:
    """It ran there long enough, without a break."""
    needed, before = asked.rules.soak, asked.rules.after
    if not needed or before is None:
        return _off("soak", "no time to run before is asked for")
    seconds = _seconds(asked.stay, asked.now) if asked.stay else 0.0
    numbers: dict[str, int | float | str | None] = {"seconds": round(seconds), "needed": needed}
    told = f"{_span(seconds)} in {before}, {_span(needed)} are needed"
    if seconds < needed:
        return _no("soak", told, asked.where, numbers)
    return _result("soak", Status.PASSED, told, None, numbers)


def frozen(asked: Asked) -> Result:
    """Now is in none of its freeze windows."""
    if not asked.rules.freeze:
        return _off("freeze", "there is no freeze")
    for text in asked.rules.freeze:
        if ends := freeze.parse(text).covers(asked.now):
            return _no("freeze", f"{text}: frozen until {_text(ends)}", asked.where)
    return _yes("freeze", f"none of {len(asked.rules.freeze)} holds at {_text(asked.now)}")


def approvals(asked: Asked) -> Result:
    """Enough people agree: asked of the pull request when it is deployed, as nobody has seen it before."""
    needed = asked.rules.approvals
    if not needed:
        return _off("approvals", "none is asked for")
    people = f"{needed} approval{'s' if needed > 1 else ''}"
    if asked.way is not Way.PULL_REQUEST:
        return _no("approvals", f"{people} needed, and a {asked.way} has none: use --pr", asked.where)
    return _off("approvals", f"{people} needed, asked of the pull request once it is merged")


def image(asked: Asked) -> Result:
    """It has an image by its digest, and the files that are deployed take it."""
    engine, release = asked.rules.deploy, asked.release
    if engine is None:
        return _off("image", "nothing is deployed by files here")
    if engine == "command":
        return _off("image", "a command deploys it, which may take the bundle")
    if not release.image:
        told = f"{release.release} has no image: set package.image, and make a release with `mlops-ci release --push`"
        return _no("image", told, asked.where)
    if asked.unfit:
        return _no("image", asked.unfit)
    return _yes("image", f"{release.image.partition('@')[2][:19]}, for {engine}")


def _seconds(stay: Stay, now: datetime) -> float:
    """A commit may say that it comes from the future."""
    return max(0.0, ((_time(stay.until) if stay.until else now) - _time(stay.since)).total_seconds())


def longest(stays: tuple[Stay, ...], bundle: str, now: datetime) -> Stay | None:
    """The longest stay of a bundle."""
    return max((one for one in stays if one.runs.bundle == bundle), key=lambda one: _seconds(one, now), default=None)


def _yes(name: str, told: str) -> Result:
    return _result(name, Status.PASSED, told)


def _off(name: str, told: str) -> Result:
    return _result(name, Status.SKIPPED, told)


def _no(
    name: str, told: str, where: Where | None = None, numbers: dict[str, int | float | str | None] | None = None
) -> Result:
    return _result(name, Status.FAILED, told, where, numbers)


def _result(
    name: str,
    status: Status,
    told: str,
    where: Where | None = None,
    numbers: dict[str, int | float | str | None] | None = None,
) -> Result:
    return Result(check=name, part=Part.RULES, status=status, message=told, where=where, numbers=numbers or {})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _span(seconds: float) -> str:
    """Hours and minutes, days from two on."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"
