"""The keys of mlops.yaml that say how a model is judged, and what is kept of it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from mlops_ci.config.section import Names, Range, Section

Undecided = Literal["refuse", "warn", "accept"]
SLOW_CHECKS = ("weak_segments_performance",)
"""Checks of deepchecks that `checks.slow` may name."""


class Checks(Section, frozen=True, kw_only=True):
    """Checks beside the native ones."""

    deepchecks: Annotated[
        Literal["off", "advisory", "gate"],
        Meta(
            description="The deepchecks suites, in an environment of their own (docs/deepchecks.md): `advisory` never "
            "blocks; with `gate` a check that did not run is errored."
        ),
    ] = "off"
    slow: Annotated[
        Names,
        Meta(
            description="Checks of deepchecks that take long, and are left out unless named here: "
            "`weak_segments_performance`."
        ),
    ] = ()


class MetricSetting(Section, frozen=True, kw_only=True):
    """A metric of the project's own."""

    function: Annotated[
        str,
        Meta(description="`module:function`, called as function(holdout, predictions) -> a number, or one a row."),
    ]
    higher_is_better: Annotated[bool | None, Meta(description="Left out, reports call no change better or worse.")] = (
        None
    )
    range: Annotated[Range | None, Meta(description="The least and the most one row can be worth: what `@` needs.")] = (
        None
    )
    unit: Annotated[str, Meta(description="Written after its numbers: `EUR`.")] = ""


class GateSetting(Section, frozen=True, kw_only=True):
    """One gate. Where it stands: `Config.where(f"gates[{index}]")`, so that moved lines are not another gate."""

    text: Annotated[str, Meta(description="The rule: `roc_auc >= 0.72 @ 95%`.")] = field(name="gate")
    name: Annotated[str, Meta(description="What reports call it; left out, the rule itself.")] = ""
    when_undecided: Annotated[
        Undecided, Meta(description="What an undecided verdict does: `refuse` blocks, `warn` and `accept` do not.")
    ] = "refuse"


class Guarantee(Section, frozen=True, kw_only=True):
    """A promise for many decisions on the same held-out rows (docs/gates.md)."""

    adaptivity: Annotated[
        Literal["none", "first_change", "full"] | Annotated[int, Meta(ge=1)],
        Meta(
            description="How much later models may know of earlier verdicts: `none`, that one passed (`first_change`), "
            "that so many did (a number), everything (`full`). All but `none` need `disclose: verdict`."
        ),
    ] = "none"
    decisions: Annotated[
        int, Meta(description="How many decisions a held-out row is for; more later refill nothing.", ge=1)
    ] = 32
    disclose: Annotated[
        Literal["full", "verdict"],
        Meta(
            description="What a report may show of the rows that `@` gates are judged on: all numbers, or one answer "
            "for all gates (`verdict`; half of the held-out rows are then kept for nothing else)."
        ),
    ] = "full"


class HoldoutUse(Section, frozen=True, kw_only=True):
    """What is promised about looking at the same held-out rows often."""

    guarantee: Annotated[
        Literal["none"] | Guarantee,
        Meta(description="`none`: looks are counted and shown. A mapping: what `@` claims holds for many decisions."),
    ] = "none"

    @property
    def verdicts_only(self) -> bool:
        """Nothing but one answer may leave the rows that `@` gates are judged on."""
        return isinstance(self.guarantee, Guarantee) and self.guarantee.disclose == "verdict"


class Evidence(Section, frozen=True, kw_only=True):
    """What is kept of each decision, and of each release."""

    rows: Annotated[
        Literal["ledger", "store", "none"],
        Meta(
            description="Where row-level evidence goes (outputs and keyed digests of ids, never raw values): "
            "the branch `mlops-reports`, the store (docs/store.md: who may write there, and what of pull requests), or "
            "nowhere (verdicts then cannot be recomputed)."
        ),
    ] = "ledger"
    snapshot: Annotated[
        Literal["none", "store"],
        Meta(
            description="Whether a release puts its prepared table, all rows and columns as they are, into the store, "
            "as Parquet (docs/store.md)."
        ),
    ] = "none"
