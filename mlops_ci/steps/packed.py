"""The judged model as a bundle that was loaded by itself: for a release, and where a check asks about libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops_ci.edge import runtime
from mlops_ci.errors import ConfigError, UserCodeError
from mlops_ci.records.outcomes import Status
from mlops_ci.records.results import Part, Result
from mlops_ci.reports.release import parity
from mlops_ci.steps.bundle import Bundle, judged_model, make_bundle
from mlops_ci.steps.decide import Found, errored
from mlops_ci.steps.export import Exported, export
from mlops_ci.steps.load_with import loads_with
from mlops_ci.steps.store_items import Laid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_ci.steps.case import Case
    from mlops_ci.steps.progress import Clock
    from mlops_ci.steps.workshop import Workshop


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle, how its model was converted, what was found out about it, and its prepared table where it is kept."""

    bundle: Bundle
    exported: Exported
    results: tuple[Result, ...]
    table: Laid | None = None


def pack(case: Case, found: Found, workshop: Workshop, clock: Clock) -> Packed:
    """The bundle of a model, loaded by itself, and with the later libraries that `package.load_with` names."""
    with clock.step("export", "converting the model and comparing it with the judged one") as line:
        exported = export(judged_model(case, found, workshop), say=lambda text: clock.say("export", text))
        line.found = f"{exported.answer.format}, {parity(exported.answer.parity)}"
    with clock.step("bundle", "putting the bundle together") as line:
        bundle = make_bundle(case, found, exported, workshop)
        line.found = f"{bundle.files} files{', restored' if bundle.restored else ''}"
    with clock.step("load", "loading the bundle by itself") as line:
        results = answers_as_judged(bundle, clock)
        line.found = results[0].message
    if results[0].status is Status.PASSED:
        wanted = case.head.config.package.load_with
        results += loads_with(bundle, exported.answer.format, wanted, lambda text: clock.say("load", text))
    return Packed(bundle=bundle, exported=exported, results=results)


def try_libraries(case: Case, found: Found, workshop: Workshop, clock: Clock) -> Found:
    """What a release would find out of later libraries, where a lock changed and `package.load_with` names some."""
    asked = set(case.head.config.package.load_with) - {"locked"}
    if not (asked and case.change.environment) or found.model is None or found.model.fitted is None:
        return found
    try:
        results = pack(case, found, workshop, clock).results
    except (ConfigError, UserCodeError) as error:
        results = (errored("bundle", error, Part.MODEL),)
    return msgspec.structs.replace(found, results=(*found.results, *results))


def answers_as_judged(bundle: Bundle, clock: Clock) -> tuple[Result, ...]:
    """The bundle in an environment and a process of its own, made from nothing but what lies in it."""
    return (answers_by_itself(bundle.folder, bundle.golden.fingerprint, lambda text: clock.say("load", text)),)


def answers_by_itself(folder: Path, judged: str, say: Callable[[str], None]) -> Result:
    """Whether what lies in a bundle's folder gives the answers with the fingerprint of the judged model."""
    found = runtime.conforms(folder, runtime.python_for(folder, say))
    good = f"loaded in a process of its own it gives the judged answers to {found.golden} golden requests"
    agrees = found.error is None and found.fingerprint == judged
    behaves = f"its fingerprint is {found.fingerprint[:12]}, the judged model's {judged[:12]}"
    bad = found.error.message if found.error else behaves
    status = Status.PASSED if agrees else Status.FAILED
    return Result(check="bundle_answers", part=Part.MODEL, status=status, message=good if agrees else bad)
