"""The Decision: who asked what, what was judged by whom, and the answer; and what it was computed from."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mlops_ci.records.data import DataChange, Profile, SnapshotInfo
from mlops_ci.records.environments import Move
from mlops_ci.records.evaluation import Evaluation, MetricValue, OwnMetric
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.releases import BundleInfo, Comparison, ImageInfo, Imported
from mlops_ci.records.results import Result
from mlops_ci.records.stores import StoredItem
from mlops_ci.records.verdicts import IdleWaiver, Verdict, added


class DecisionKind(StrEnum):
    CHECK = "check"
    RELEASE = "release"
    IMPORT = "import"
    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    MONITOR = "monitor"


class Trust(StrEnum):
    """Where a decision was made, from the least trusted to the most."""

    DESK = "desk"
    FORK = "fork"
    PULL_REQUEST = "pull-request"
    DEFAULT_BRANCH = "default-branch"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged. Digests are hex; `commit` is empty on a dirty tree; `environment` is empty when not locked."""

    commit: str
    tree: str
    """The git tree of the project's folder: evidence is keyed by it, so a squash with the same tree keeps it."""
    data: str
    params: str
    environment: str
    dirty: bool = False
    commit_time: str = ""
    """Committer date, ISO 8601 UTC: the decision's place in the ledger."""
    commit_title: str = ""


class ChampionRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which decision or release the candidate was compared with."""

    name: str
    commit: str
    decision: str
    model: str = ""
    """sha256 of its model, where it was at hand: equal to the candidate's, the two are one model."""
    reason: str = ""


class JudgeRef(msgspec.Struct, frozen=True, kw_only=True):
    """Who decided: the commit the rules were read from, their digest and the tool's version.

    `differences` lists what head's rules change, in words; `head_verdicts`, where head's gates differ, must hold too.
    """

    commit: str
    digest: str
    version: str
    source: str
    """base | head: head's rules decide only where base has none."""
    differences: tuple[str, ...] = ()
    head_verdicts: tuple[Verdict, ...] = ()
    idle_waivers: tuple[IdleWaiver, ...] | msgspec.UnsetType = msgspec.UNSET
    """Waivers that changed nothing; left out of the JSON where there are none. Those that count stand at their gate."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Who agreed that a commit changes the judge: owners of what changes, by approving this very commit."""

    by: tuple[str, ...]
    commit: str


class ParamChange(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    key: str
    before: str
    after: str
    line: int | msgspec.UnsetType = msgspec.UNSET
    """Where the commit has the key; a key that is taken out has none, and older decisions do not say it."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What the commit changes against its base, by kind; paths are sorted."""

    kinds: tuple[str, ...] = ()
    """Of data, params, code, environment, judge; empty: nothing."""
    data: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    judge: tuple[str, ...] = ()
    params: tuple[ParamChange, ...] = ()


class TrainingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How the model came to be: the rung, and what is the same in every run of it."""

    rung: str
    """entrypoint | command | model | predictions"""
    model: str
    """Class or file of the model, as text."""
    features: tuple[str, ...]
    seed: int | None
    digest: str = ""
    """sha256 of the model's file or folder; empty where there is none at hand."""
    bytes: int | None = None
    locked: bool = False
    packages: dict[str, str] = {}


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """Why a fact has no number, and what a gate over it then is."""

    status: Status
    reason: str


class FactNote(msgspec.Struct, frozen=True, kw_only=True):
    """How the number of a fact came about: its unit (of gates/facts.py) and a sentence."""

    unit: str
    told: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was judged for a pass on which rows (statistics.md 3): the same again is the same look.

    Ledgers of older versions hold looks that say holdout and predictions only.
    """

    holdout: str
    predictions: str
    claims: tuple[str, ...] = ()
    """What `@` gates claim of which rows, without their thresholds; sorted."""
    project: str = ""
    folder: str = ""
    """Of the project in the repository: another name in the same folder is the same project."""
    naming: str = ""
    """Digest of what names rows and divides them: under another one nobody can tell which rows were seen."""
    rows: str = ""
    """The file beside the look with the ids of its rows."""
    decisions: int = 0
    """What a guarantee promised for these rows; 0: nothing."""
    passed: bool | msgspec.UnsetType = msgspec.UNSET
    """Under `disclose: verdict` the one answer that left these rows; left out where numbers did."""
    retire_at: int | msgspec.UnsetType = msgspec.UNSET
    """Then: the passes after which the rows are worn out; left out where none retires them."""
    shown: str | msgspec.UnsetType = msgspec.UNSET
    """Then: the file beside the look with the ids of the rows whose numbers were shown instead."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What `holdout: {guarantee: ...}` meant for one decision (statistics.md 2, 3)."""

    adaptivity: str
    decisions: int
    """The fewest ever promised for these rows: more promised later refill nothing."""
    histories: int
    """K: the level of every passing bound was divided by it."""
    looks: int
    """Earlier looks at the row looked at most, of those the `@` gates were judged on."""
    rows: int
    """Rows the `@` gates were judged on."""
    seen: int
    """Earlier looks at any row of the holdout: were there more when it was recorded, it was not."""
    anywhere: int = 0
    """Of them, those that may have been at any row, as rows were named or divided otherwise then."""
    disclose: str | msgspec.UnsetType = msgspec.UNSET
    """`verdict`: these rows are the gate part, of which nothing but one answer is told. Left out: numbers are."""
    retire_at: int | msgspec.UnsetType = msgspec.UNSET
    """Passes after which the rows are worn out, whatever is left of the decisions; left out where none retires them."""
    passes: int | msgspec.UnsetType = msgspec.UNSET
    """Earlier looks at any of the rows that passed; left out with `retire_at`."""
    numbers_shown: bool | msgspec.UnsetType = msgspec.UNSET
    """Numbers of some of the rows stood in an earlier report; left out where none did."""

    @property
    def worn(self) -> bool:
        return self.looks >= self.decisions or self.retired or self.numbers_shown is True

    @property
    def retired(self) -> bool:
        """They have passed as often as they may."""
        return bool(self.retire_at and self.passes and self.passes >= self.retire_at)

    @property
    def verdicts_only(self) -> bool:
        return self.disclose == "verdict"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision was computed from, without row-level arrays (those are digests here)."""

    snapshot: SnapshotInfo | None = None
    profile: Profile | None = None
    data_change: DataChange | None = None
    training: TrainingInfo | None = None
    evaluation: Evaluation | None = None
    own_metrics: tuple[OwnMetric, ...] = ()
    facts: dict[str, float] = {}
    """What gates may name beside metrics; recorded, not recomputable from rows."""
    missing_facts: dict[str, Absence | str] = {}
    """Facts without a number, and why; a bare reason, as older decisions have it, is that of a skipped one."""
    fact_notes: dict[str, FactNote] | msgspec.UnsetType = msgspec.UNSET
    """Of the facts that were measured because a gate names them; left out of the JSON where there are none."""
    holdout: str = ""
    predictions: str = ""
    looks: int = 0
    """Distinct looks at the row that was looked at most, this one included."""
    look: Look | None = None
    promise: Promise | None = None
    """None: nothing is promised for many looks."""
    bundle: BundleInfo | msgspec.UnsetType = msgspec.UNSET
    """What a release packaged; left out of the JSON of other decisions."""
    image: ImageInfo | msgspec.UnsetType = msgspec.UNSET
    """The container image of a release; left out of the JSON where it has none."""
    images: dict[str, ImageInfo] | msgspec.UnsetType = msgspec.UNSET
    """Target -> image, of targets other than the server; left out of the JSON where there are none."""
    rows: StoredItem | msgspec.UnsetType = msgspec.UNSET
    """Row-level evidence as it lies in the store: of a release what its model was judged on. Left out of the JSON where
    the ledger has it, or nobody."""
    table: StoredItem | msgspec.UnsetType = msgspec.UNSET
    """The prepared table of a release in the store; left out of the JSON where it is not kept."""
    comparison: Comparison | msgspec.UnsetType = msgspec.UNSET
    """A release beside the one before it; left out of the JSON where it is the first."""
    imported: Imported | msgspec.UnsetType = msgspec.UNSET
    """The model that was taken in without being judged; left out of the JSON of other decisions."""
    move: Move | msgspec.UnsetType = msgspec.UNSET
    """What a promotion or rollback moves where; left out of the JSON of other decisions."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. Same evidence, same bytes: nothing volatile is in here (that is RunInfo)."""

    kind: DecisionKind
    project: str
    outcome: Outcome
    trust: Trust
    subject: Subject
    base: str
    champion: ChampionRef | None
    change: Change
    judge: JudgeRef
    gates: tuple[Verdict, ...]
    metrics: tuple[MetricValue, ...]
    checks: tuple[Result, ...]
    evidence: dict[str, str]
    """Name of an evidence file -> sha256."""
    reason: str = ""
    """One sentence for decisions without gates: errored, or the judge changes."""
    environments: tuple[Verdict, ...] | msgspec.UnsetType = msgspec.UNSET
    """Verdicts of the gates of environments, in the order of mlops.yaml: shown beside, never counted here. Left out of
    the JSON where there are none."""
    anchor: ChampionRef | msgspec.UnsetType = msgspec.UNSET
    """The pinned decision that gates compare with; left out of the JSON where none does. Without a decision it could
    not be found, and `reason` is why."""
    reported: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """What was taken as the branch's own code reports it, in words, where the judgement was made apart from the run;
    left out of the JSON where run and judgement are one."""
    opened: Opening | msgspec.UnsetType = msgspec.UNSET
    """Who opened a change of the judge; left out of the JSON where nobody did, or nobody had to."""

    @property
    def own_gates(self) -> tuple[Verdict, ...]:
        """The verdicts that this commit's own gates add."""
        return added(self.gates, self.judge.head_verdicts)

    @property
    def numbered_gates(self) -> tuple[Verdict, ...]:
        """What must hold, in the order of the numbers people see, from 1: the judge's gates, then the commit's own."""
        return (*self.gates, *self.own_gates)


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The volatile half, beside the decision: when, where, how long."""

    started: str
    seconds: float
    timings: dict[str, float]
    restored: tuple[str, ...]
    host: str
    python: str
    mlops_ci: str
    mlflow_run: str = ""
    training_seconds: float | None = None
    peak_memory_bytes: int | None = None
