"""Made-up decisions, one for each way a check can end."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from mlops_ci.gates import words
from mlops_ci.gates.question import Wear
from mlops_ci.records.data import Bins, ColumnChange, ColumnProfile, DataChange, Profile, SnapshotInfo, SourceFile
from mlops_ci.records.decisions import (
    ChampionRef,
    Change,
    Decision,
    DecisionKind,
    Evidence,
    FactNote,
    JudgeRef,
    ParamChange,
    Promise,
    RunInfo,
    Subject,
    TrainingInfo,
    Trust,
)
from mlops_ci.records.evaluation import (
    ClassCounts,
    ClassValue,
    Curve,
    Evaluation,
    Flips,
    FlipSlice,
    MetricValue,
    SliceSearch,
    SliceValue,
    Task,
    WorseSlice,
)
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Part, Result, Where
from mlops_ci.records.tables import Kind
from mlops_ci.records.verdicts import Idle, IdleWaiver, Side, Verdict, Waiver
from mlops_ci.reports.story import Earlier, Story

HOSTILE = (
    "<script>alert(1)</script>",
    "a|b`c``d",
    "@octocat",
    "#123",
    "${{ secrets.TOKEN }}",
    "line\nbreak\r\n# heading",
    ":tada: **bold** _it_ ~~no~~",
    "\u202egnp.exe",
    "https://evil.example/x www.evil.example me@evil.example",
    "\x1b[31mred\x1b]0;title\x07",
    "![x](javascript:alert(1))",
    "::set-output name=a::b ##[error]c",
    "$x^2$ GH-12 owner/repo#5",
    "</code></summary></details><img src=x onerror=alert(1)>",
)
RUN = RunInfo(
    started="2026-03-04T05:06:07Z",
    seconds=14.2,
    timings={"snapshot": 0.31, "fit": 6.2, "judge": 0.04},
    restored=("predict champion",),
    host="desk",
    python="3.12.4",
    mlops_ci="0.3.0",
    training_seconds=6.2,
    peak_memory_bytes=412_000_000,
)
MORE = (
    Earlier(id="0" * 64, commit="0f1e2d3c4b5a", outcome=Outcome.PASSED, sentence="All 4 gates hold"),
    Earlier(
        id="7" * 64,
        commit="77aa881bb22c",
        outcome=Outcome.FAILED,
        sentence="The largest drift (PSI) is 0.31, above 0.25",
    ),
)


def result(check: str, message: str = "as it should be", **more: Any) -> Result:
    more = {"part": Part.DATA, "status": Status.PASSED, **more}
    return Result(check=check, message=message, **more)


def verdict(gate: str, status: Status = Status.PASSED, line: int = 22, **more: Any) -> Verdict:
    return Verdict(gate=gate, name=more.pop("name", gate), verdict=status, where=Where("mlops.yaml", line), **more)


def decision(**more: Any) -> Decision:
    plain: dict[str, Any] = {
        "kind": DecisionKind.CHECK,
        "project": "flight-delay",
        "outcome": Outcome.PASSED,
        "trust": Trust.PULL_REQUEST,
        "subject": Subject(
            commit="a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
            tree="beadfeed" * 5,
            data="9f3c" * 16,
            params="5e4d" * 16,
            environment="77ab" * 16,
            commit_time="2026-03-04T05:00:00Z",
            commit_title="Shallower trees",
        ),
        "base": "9e8d7c6b5a4938271605f4e3d2c1b0a998877665",
        "champion": ChampionRef(
            name="v12 in production", commit="0f1e2d3c4b5a69788796a5b4c3d2e1f001122334", decision="c" * 64
        ),
        "change": Change(
            kinds=("params",), params=(ParamChange(file="params.yaml", key="max_depth", before="8", after="4", line=2),)
        ),
        "judge": JudgeRef(
            commit="9e8d7c6b5a4938271605f4e3d2c1b0a998877665", digest="d1ce" * 16, version="0.3.0", source="base"
        ),
        "gates": (),
        "metrics": (),
        "checks": (),
        "evidence": {"profile.json": "ab" * 32},
    }
    return Decision(**{**plain, **more})


def snapshot(**more: Any) -> SnapshotInfo:
    plain: dict[str, Any] = {
        "digest": "9f3c" * 8,
        "rows": 166_158,
        "train_rows": 133_740,
        "holdout_rows": 32_418,
        "columns": (("temp", Kind.FLOAT), ("origin", Kind.TEXT)),
        "split": "id/1 carrier,flight,origin,time_hour 20%",
        "sources": (
            SourceFile(source="flights", path="data/flights/2013-06.parquet", bytes=9_100_000, sha256="1" * 64),
            SourceFile(source="weather", path="data/weather.parquet", bytes=320_000, sha256="2" * 64),
        ),
    }
    return SnapshotInfo(**{**plain, **more})


def training(**more: Any) -> TrainingInfo:
    plain: dict[str, Any] = {
        "rung": "entrypoint",
        "model": "HistGradientBoostingClassifier",
        "features": tuple("abcdefghijk"),
        "seed": 7,
        "bytes": 1_100_000,
        "locked": True,
        "packages": {"scikit-learn": "1.7.1"},
    }
    return TrainingInfo(**{**plain, **more})


def curve(bend: float) -> Curve:
    xs = tuple(round(step / 100, 4) for step in range(101))
    return Curve(x=xs, y=tuple(round(x**bend, 4) for x in xs))


def flights(**more: Any) -> Evaluation:
    """Binary; accuracy 0.7923 = 25,686 and 0.7954 = 25,786 of 32,418 rows: 902 won − 1,002 lost = −100."""
    plain: dict[str, Any] = {
        "task": Task.BINARY,
        "rows": 32_418,
        "classes": ("False", "True"),
        "class_counts": (24_281, 8_137),
        "metrics": (
            MetricValue(metric="accuracy", value=25_686 / 32_418, champion=25_786 / 32_418),
            MetricValue(metric="roc_auc", value=0.741, champion=0.752),
            MetricValue(metric="recall", value=0.302, champion=0.331),
        ),
        "slices": tuple(
            SliceValue(
                column=column,
                value=value,
                rows=rows,
                metrics={"accuracy": a, "recall": r},
                champion={"accuracy": ca, "recall": cr},
            )
            for column, value, rows, a, r, ca, cr in (
                ("origin", "EWR", 11_640, 0.781, 0.331, 0.782, 0.334),
                ("origin", "JFK", 10_720, 0.7914, 0.361, 0.8012, 0.412),
                ("origin", "LGA", 10_058, 0.806, 0.249, 0.805, 0.247),
                ("carrier", "UA", 5_931, 0.799, 0.288, 0.801, 0.290),
                ("carrier", "B6", 5_204, 0.772, 0.352, 0.779, 0.371),
                ("carrier", "HA", 34, 0.912, None, 0.912, None),
            )
        ),
        "flips": Flips(
            rows=32_418,
            won=902,
            lost=1_002,
            other=0,
            by_slice=(
                FlipSlice(column="origin", value="EWR", rows=11_640, won=320, lost=331, other=0),
                FlipSlice(column="origin", value="JFK", rows=10_720, won=280, lost=385, other=0),
                FlipSlice(column="origin", value="LGA", rows=10_058, won=302, lost=286, other=0),
            ),
        ),
        "worse_slices": SliceSearch(
            metric="accuracy",
            looked_at=10_971,
            asked=5,
            rows=16_203,
            found=(
                WorseSlice(
                    conditions=(("dep_hour", "≥ 18"), ("origin", "= JFK")),
                    rows=2_310,
                    value=0.7104,
                    elsewhere=0.7931,
                    low=0.6946,
                    high=0.7259,
                    method="fisher/1",
                ),
            ),
        ),
        "confusion": ((23_229, 1_052), (5_680, 2_457)),
        "curves": {
            "roc": curve(0.38),
            "roc_champion": curve(0.36),
            "calibration": Curve(
                x=tuple(i / 10 + 0.05 for i in range(10)), y=tuple(min((i / 10 + 0.05) ** 1.15, 1.0) for i in range(10))
            ),
            "calibration_champion": Curve(
                x=tuple(i / 10 + 0.05 for i in range(10)), y=tuple(i / 10 + 0.04 for i in range(10))
            ),
            "calibration_rows": Curve(
                x=tuple(i / 10 + 0.05 for i in range(10)), y=tuple(float(9000 // (i + 1)) for i in range(10))
            ),
        },
    }
    return Evaluation(**{**plain, **more})


RECALL = verdict(
    "recall[origin=JFK] >= 0.38 @ 95%",
    Status.FAILED,
    24,
    observed=997 / 2760,
    low=0.346,
    high=0.3766,
    threshold=0.38,
    confidence=0.95,
    alpha_pass=0.05,
    alpha_fail=0.05,
    rows=2760,
    method="clopper-pearson/1",
    reason="with 95 % confidence the value is at most 0.3766, below 0.38",
    slice="origin=JFK",
    candidate=Side(value=997 / 2760, count=997, of=2760),
    champion=Side(value=1137 / 2760, count=1137, of=2760),
)
ACCURACY = verdict(
    "accuracy - champion.accuracy > -0.005 @ 95%",
    Status.UNDECIDED,
    25,
    observed=-100 / 32_418,
    low=-0.0053,
    high=-0.0009,
    threshold=-0.005,
    confidence=0.95,
    alpha_pass=0.05,
    alpha_fail=0.05,
    rows=32_418,
    rows_needed=12_830,
    detectable=0.0033,
    method="tango/1",
    reason="the difference lies between −0.53 and −0.09 points, and −0.5 is in between; "
    "if the true difference is 0, 12,830 rows decide with 80 %; "
    "if it is what was observed, 101,240",
    difference=True,
    candidate=Side(value=25_686 / 32_418, count=25_686, of=32_418),
    champion=Side(value=25_786 / 32_418, count=25_786, of=32_418),
)
AUC = verdict(
    "roc_auc >= 0.72",
    line=23,
    observed=0.7412,
    low=0.735,
    high=0.7474,
    threshold=0.72,
    rows=32_418,
    method="point/1",
    candidate=Side(value=0.7412),
    champion=Side(value=0.7523),
)
SIZE = verdict(
    "bundle_size <= 50 MB",
    line=26,
    observed=1_100_000.0,
    threshold=50_000_000.0,
    unit="bytes",
    method="point/1",
    candidate=Side(value=1_100_000.0),
    champion=Side(value=1_400_000.0),
)
DATA = (
    result("contract", "41 of 41 clauses of the contract hold", numbers={"clauses": 41, "held": 41}, blocking=False),
    result("drift", "no column drifted above noise"),
    result("joins", "99.2 % of the rows found their weather", numbers={"share": 0.992}),
    result("target_leakage", "no column gives the target away"),
)
TESTS = (
    result(
        "test_model.py::test_more_rain_is_never_safer",
        "holds for 98 % of 500 pairs [97, 99], needs 95 %",
        part=Part.TESTS,
    ),
    result(
        "test_model.py::test_later_departure_is_never_safer",
        "holds for 91 % of 500 pairs [90, 92], needs 95 %",
        part=Part.TESTS,
        status=Status.FAILED,
        blocking=False,
        where=Where("tests/model/test_model.py", 31),
        details="    def test_later_departure_is_never_safer(model, holdout):\n>       assert share >= 0.95\n"
        "E       assert 0.91 >= 0.95",
    ),
)


def story(told: Decision, evidence: Evidence, **more: Any) -> Story:
    return Story(decision=told, decision_id="3f9c1e27ab04" + "5" * 52, evidence=evidence, **more)


def evidence(**more: Any) -> Evidence:
    plain: dict[str, Any] = {
        "snapshot": snapshot(),
        "training": training(),
        "evaluation": flights(),
        "holdout": "44dd" * 16,
        "predictions": "55ee" * 16,
        "looks": 5,
        "data_change": DataChange(
            base_digest="9f3c" * 8, base_rows=166_158, rows=166_158, added=0, removed=0, changed=0
        ),
    }
    return Evidence(**{**plain, **more})


def refused() -> Story:
    told = decision(
        outcome=Outcome.FAILED, gates=(AUC, RECALL, ACCURACY, SIZE), checks=(*DATA, *TESTS), metrics=flights().metrics
    )
    return story(told, evidence(), earlier=MORE, run=RUN)


def waived() -> Story:
    """The refused one with its failed gate and its undecided one waived; a third waiver is over."""
    broken = Waiver(
        gate=RECALL.gate,
        reason="the sensors at JFK are being replaced",
        owner="Ada Example",
        until="2026-05-01",
        where=Where("waivers.yaml", 3),
    )
    few = Waiver(gate=ACCURACY.gate, reason="decided in June", owner="Bob", until="2026-04-01")
    over = Waiver(gate=AUC.gate, reason="-", owner="Bob", until="2026-01-31", where=Where("waivers.yaml", 13))
    gates = (
        AUC,
        msgspec.structs.replace(RECALL, blocking=False, waived=broken),
        msgspec.structs.replace(ACCURACY, blocking=False, waived=few),
        SIZE,
    )
    judge = msgspec.structs.replace(decision().judge, idle_waivers=(IdleWaiver(waiver=over, why=Idle.NOT_NEEDED),))
    told = decision(gates=gates, checks=(*DATA, *TESTS), metrics=flights().metrics, judge=judge)
    return story(told, evidence(), earlier=MORE, run=RUN)


def crept() -> Story:
    """Not much worse than the champion, as those before were: too far from the anchor."""
    near = msgspec.structs.replace(
        ACCURACY,
        verdict=Status.PASSED,
        gate="accuracy - champion.accuracy > -0.01 @ 95%",
        name="",
        threshold=-0.01,
        reason="with 95 % confidence the difference is at least −0.53 points, above −1",
    )
    far = msgspec.structs.replace(
        near,
        verdict=Status.FAILED,
        gate="accuracy - anchor.accuracy > -0.02 @ 95%",
        threshold=-0.02,
        observed=-800 / 32_418,
        low=-0.0291,
        high=-0.0203,
        reason="with 95 % confidence the difference is at most −2.03 points, not above −2",
        champion=None,
        anchor=Side(value=26_486 / 32_418, count=26_486, of=32_418),
        where=Where("mlops.yaml", 26),
    )
    pinned = ChampionRef(name="the anchor, 0c1d2e3", commit="0c1d2e3" + "0" * 33, decision="77aa" * 16)
    told = decision(outcome=Outcome.FAILED, gates=(AUC, near, far), checks=DATA, anchor=pinned)
    return story(told, evidence(), run=RUN)


def expired() -> Story:
    """Refused: the waiver of the gate that fails is over."""
    over = Waiver(gate=RECALL.gate, reason="-", owner="Ada", until="2026-02-28", where=Where("waivers.yaml", 3))
    judge = msgspec.structs.replace(decision().judge, idle_waivers=(IdleWaiver(waiver=over, why=Idle.EXPIRED),))
    told = decision(outcome=Outcome.FAILED, gates=(AUC, RECALL, SIZE), checks=DATA, judge=judge)
    return story(told, evidence())


def _normal(name: str, centre: float, rows: int) -> ColumnProfile:
    edges = tuple(float(edge) for edge in range(10, 100, 5))
    shares = [math.exp(-(((edge - centre) / 14) ** 2)) for edge in (7.5, *(edge + 2.5 for edge in edges))]
    return ColumnProfile(
        name=name,
        kind=Kind.FLOAT,
        rows=rows,
        missing=0,
        distinct=400,
        low=8.0,
        high=100.0,
        bins=Bins(edges=edges, counts=tuple(int(rows * share / sum(shares)) for share in shares)),
    )


def _carriers(rows: int, late: int) -> ColumnProfile:
    common = (("UA", rows // 3), ("B6", rows // 4), ("AA", late), ("HA", rows // 90))
    return ColumnProfile(name="carrier", kind=Kind.TEXT, rows=rows, missing=0, distinct=4, common=common)


def new_data() -> Story:
    """29,425 rows more; the champion is worse on them, the candidate is not."""
    change = DataChange(
        base_digest="9f3c" * 8,
        base_rows=166_158,
        rows=195_583,
        added=29_425,
        removed=0,
        changed=0,
        files_added=("data/flights/2013-07.parquet",),
        columns=(
            ColumnChange(column="temp", change="drift", before="mean 55.3", after="mean 59.1", psi=0.19, floor=0.012),
            ColumnChange(column="carrier", change="drift", before="AA 9.6 %", after="AA 8.4 %", psi=0.021, floor=0.009),
        ),
        target_before=(("False", 0.749), ("True", 0.251)),
        target_after=(("False", 0.737), ("True", 0.263)),
        target_of_added=(("False", 0.671), ("True", 0.329)),
    )
    won, lost, rows = 1_410, 1_104, 38_303
    accuracy = (30_446 + won - lost, 30_446)
    judged = flights(
        rows=rows,
        class_counts=(28_229, 10_074),
        metrics=(
            MetricValue(metric="accuracy", value=accuracy[0] / rows, champion=accuracy[1] / rows),
            MetricValue(metric="roc_auc", value=0.757, champion=0.749),
        ),
        new_rows=SliceValue(
            column="", value="new rows", rows=5_885, metrics={"accuracy": 0.771}, champion={"accuracy": 0.746}
        ),
        flips=Flips(rows=rows, won=won, lost=lost, other=0),
        confusion=(),
    )
    sides = (
        Side(value=accuracy[0] / rows, count=accuracy[0], of=rows),
        Side(value=accuracy[1] / rows, count=accuracy[1], of=rows),
    )
    gates = (
        verdict(
            "accuracy - champion.accuracy > -0.005 @ 95%",
            observed=(won - lost) / rows,
            low=0.0058,
            high=0.0101,
            threshold=-0.005,
            confidence=0.95,
            rows=rows,
            method="tango/1",
            difference=True,
            candidate=sides[0],
            champion=sides[1],
        ),
        verdict(
            "roc_auc >= 0.72",
            observed=0.757,
            low=0.752,
            high=0.762,
            threshold=0.72,
            rows=rows,
            method="point/1",
            candidate=Side(value=0.757),
            champion=Side(value=0.749),
        ),
        verdict("drift.max_psi <= 0.25", name="drift of the sources", observed=0.19, threshold=0.25, method="point/1"),
    )
    told = decision(
        gates=gates,
        checks=(
            *DATA,
            result(
                "missing_weather", "2 hours of weather are missing on 2013-07-20", status=Status.FAILED, blocking=False
            ),
        ),
        change=Change(kinds=("data",), data=("data/flights/2013-07.parquet",)),
        subject=msgspec.structs.replace(decision().subject, commit_title="Flights of July"),
    )
    return story(
        told,
        evidence(
            data_change=change,
            evaluation=judged,
            snapshot=snapshot(rows=195_583, train_rows=157_280, holdout_rows=rows),
            profile=Profile(rows=195_583, columns=(_normal("temp", 61, 195_583), _carriers(195_583, 16_400))),
        ),
        profile_before=Profile(rows=166_158, columns=(_normal("temp", 52, 166_158), _carriers(166_158, 16_000))),
        earlier=MORE[:1],
    )


def undecided() -> Story:
    told = decision(outcome=Outcome.UNDECIDED, gates=(AUC, ACCURACY, SIZE), checks=DATA, trust=Trust.DEFAULT_BRANCH)
    return story(told, evidence(looks=1))


def measured() -> Story:
    """Gates over facts: measured, not to be had, and a gain that is smaller than what another seed gives."""
    gates = (
        verdict("robustness.missing <= 0.05", line=27, observed=0.0287, threshold=0.05, method="point/1"),
        verdict("seed_noise.accuracy <= 0.01", line=28, observed=0.0047, threshold=0.01, method="point/1"),
        verdict("latency_p99 <= 5 ms", Status.FAILED, 29, observed=0.0071, threshold=0.005, unit="s", method="point/1"),
        verdict(
            "robustness.typos <= 0.05",
            Status.FAILED,
            30,
            threshold=0.05,
            reason="the model cannot answer where 10 % of the values of every text column are misspelt: "
            "predict raised ValueError: Found unknown categories ['JFKK'] (pipeline/train.py:31)",
        ),
    )
    notes = {
        "robustness.missing": FactNote(
            unit="",
            told="ROC AUC goes from 0.741 to 0.712 where 10 % of the values of every column are missing "
            "(5,000 of 32,418 held-out rows)",
        ),
        "seed_noise.accuracy": FactNote(unit="", told="accuracy lies between 0.7901 and 0.7948 with the seeds 7 to 11"),
        "latency_p99": FactNote(unit="s", told="99 % of 1,000 requests of one row took at most 7.1 ms"),
    }
    facts = {"robustness.missing": 0.0287, "seed_noise.accuracy": 0.0047, "latency_p99": 0.0071, "data.rows": 166_158.0}
    told = decision(outcome=Outcome.FAILED, gates=gates, checks=DATA, metrics=flights().metrics)
    return story(told, evidence(facts=facts, fact_notes=notes))


def nearly_used_up() -> Story:
    """A guarantee, the last decisions of which are at hand."""
    promise = Promise(adaptivity="none", decisions=32, histories=32, looks=27, rows=32_418, seen=27)
    gates = (AUC, msgspec.structs.replace(ACCURACY, low=-0.0066, alpha_pass=0.05 / 32, rows_needed=33_510))
    told = decision(outcome=Outcome.UNDECIDED, gates=gates, checks=DATA, trust=Trust.DEFAULT_BRANCH)
    return story(told, evidence(looks=28, promise=promise))


def worn_out() -> Story:
    """A guarantee that is spent: the gate has no bound and says what helps."""
    promise = Promise(adaptivity="none", decisions=32, histories=32, looks=32, rows=32_418, seen=32)
    worn = msgspec.structs.replace(
        ACCURACY,
        low=None,
        high=None,
        alpha_pass=None,
        alpha_fail=None,
        rows_needed=33_510,
        detectable=None,
        method="",
        reason="worn out: 32 of 32 decisions used; 33,510 fresh rows help",
    )
    told = decision(outcome=Outcome.UNDECIDED, gates=(AUC, worn), checks=DATA, trust=Trust.DEFAULT_BRANCH)
    return story(told, evidence(looks=33, promise=promise))


def _verdict_only(status: Status, reason: str, **promised: Any) -> Story:
    """A guarantee under which of the rows behind `@` gates nothing but one answer is told."""
    promise = Promise(
        **{
            "adaptivity": "2",
            "decisions": 32,
            "histories": 528,
            "looks": 3,
            "rows": 31_904,
            "seen": 3,
            "disclose": "verdict",
            "retire_at": 2,
            "passes": 1,
            **promised,
        }
    )
    recall = "recall at origin=JFK >= 0.35 @ 95%"
    claims = (ACCURACY, msgspec.structs.replace(ACCURACY, gate=recall, name=recall, threshold=0.35, difference=False))
    told = (
        Verdict(
            gate=one.gate,
            name=one.name,
            verdict=status,
            threshold=one.threshold,
            confidence=one.confidence,
            method="verdict-only/1",
            reason=reason,
            difference=one.difference,
            where=one.where,
        )
        for one in claims
    )
    outcome = Outcome.PASSED if status is Status.PASSED else Outcome.UNDECIDED
    made = decision(outcome=outcome, gates=(AUC, *told), checks=DATA, trust=Trust.DEFAULT_BRANCH)
    return story(made, evidence(looks=4, promise=promise))


def verdict_only_passed() -> Story:
    """The one answer is yes."""
    return _verdict_only(Status.PASSED, words.verdict_only(2, passed=True))


def verdict_only_not_passed() -> Story:
    """The one answer is no: failed, undecided or not to be computed, nobody is told."""
    return _verdict_only(Status.UNDECIDED, words.verdict_only(2, passed=False))


def verdict_only_retired() -> Story:
    """Models passed as often as they may on these rows."""
    wear = Wear(decisions=32, looks=9, histories=528, spent="passed 2 of 2 times the guarantee allows")
    return _verdict_only(Status.UNDECIDED, words.worn_out(wear, None), looks=9, passes=2)


def leak() -> Story:
    """Stopped by the data: there is no model."""
    found = result(
        "target_leakage",
        "Column arr_delay alone gives late away: AUC 0.998 on training rows, at most 0.95 is allowed",
        status=Status.FAILED,
        column="arr_delay",
        where=Where("pipeline/prepare.sql", 7),
    )
    nulls = result(
        "nulls",
        "12 of 195,583 values of tailnum are missing, 0 are allowed",
        status=Status.FAILED,
        column="tailnum",
        where=Where("data/contract.yaml", 31),
    )
    told = decision(
        outcome=Outcome.FAILED,
        checks=(*DATA[:3], found, nulls),
        change=Change(kinds=("code",), code=("pipeline/prepare.sql",)),
    )
    change = DataChange(
        base_digest="1" * 32,
        base_rows=166_158,
        rows=166_158,
        added=0,
        removed=0,
        changed=0,
        columns=(ColumnChange(column="arr_delay", change="added", after="float"),),
    )
    return story(
        told, evidence(training=None, evaluation=None, holdout="", predictions="", looks=0, data_change=change)
    )


def crashed() -> Story:
    """The project's own code failed."""
    trace = (
        'Traceback (most recent call last):\n  File "pipeline/train.py", line 12, in train\n'
        '    model.fit(frame.drop(columns="late"), frame["delayed"])\n'
        "KeyError: 'delayed'"
    )
    found = result(
        "train",
        "pipeline.train:train raised KeyError: 'delayed'",
        part=Part.MODEL,
        status=Status.ERRORED,
        details=trace,
        where=Where("pipeline/train.py", 12),
    )
    told = decision(
        outcome=Outcome.ERRORED,
        checks=(*DATA, found),
        trust=Trust.DESK,
        reason="pipeline.train:train raised KeyError: 'delayed'",
        subject=Subject(
            commit="", tree="beadfeed" * 5, data="9f3c" * 16, params="5e4d" * 16, environment="", dirty=True
        ),
    )
    return story(told, evidence(evaluation=None, training=None, holdout="", predictions="", looks=0))


def regression() -> Story:
    """The first decision of a project: no base, no champion, its own rules."""
    skipped = verdict("rmse - champion.rmse < 0.5 @ 95%", Status.SKIPPED, 19, reason="there is no champion yet")
    gates = (
        verdict(
            "rmse <= 4.5",
            line=17,
            observed=3.912,
            low=3.71,
            high=4.13,
            threshold=4.5,
            rows=1_204,
            method="point/1",
            candidate=Side(value=3.912),
        ),
        verdict(
            "mae <= 3 @ 95%",
            line=18,
            observed=2.504,
            low=2.39,
            high=2.63,
            threshold=3.0,
            confidence=0.95,
            rows=1_204,
            method="hall/3",
            candidate=Side(value=2.504),
        ),
        skipped,
    )
    judged = Evaluation(
        task=Task.REGRESSION,
        worse_slices=SliceSearch(metric="mae", looked_at=312, asked=5, rows=598),
        rows=1_204,
        classes=(),
        class_counts=(),
        metrics=(
            MetricValue(metric="rmse", value=3.912, higher_is_better=False),
            MetricValue(metric="mae", value=2.504, higher_is_better=False),
        ),
        slices=tuple(
            SliceValue(column="district", value=name, rows=rows, metrics={"mae": value, "rmse": value * 1.5})
            for name, rows, value in (("north", 402, 2.31), ("south", 391, 2.44), ("harbour", 411, 2.76))
        ),
        curves={
            "error_quantiles": Curve(
                x=tuple(i / 20 for i in range(21)), y=tuple(round(24 * (i / 20 - 0.5) ** 3 + 0.3, 4) for i in range(21))
            )
        },
    )
    told = decision(
        project="rents",
        gates=gates,
        checks=DATA[:2],
        base="",
        champion=None,
        change=Change(),
        trust=Trust.DESK,
        judge=JudgeRef(
            commit="a1b2c3d4e5f60718293a4b5c6d7e8f9001122334", digest="d1ce" * 16, version="0.3.0", source="head"
        ),
    )
    return story(
        told,
        evidence(
            snapshot=snapshot(
                rows=6_020, train_rows=4_816, holdout_rows=1_204, dropped_missing_target=31, holdout_protected=False
            ),
            data_change=None,
            evaluation=judged,
            looks=1,
            training=training(model="GradientBoostingRegressor", seed=None),
        ),
        prefix="models/rents",
    )


def _digit_classes(classes: tuple[str, ...], matrix: tuple[tuple[int, ...], ...]) -> tuple[ClassValue, ...]:
    """The champion is right in one row more of every class but `class 05`, which all of them are to the candidate."""

    def counts(place: int) -> ClassCounts:
        predicted = sum(line[place] for line in matrix)
        return ClassCounts(rows=sum(matrix[place]), predicted=predicted, hits=matrix[place][place])

    def champion(place: int, ours: ClassCounts) -> ClassCounts:
        if place == 5:
            return msgspec.structs.replace(ours, predicted=ours.predicted - len(classes) + 1)
        return msgspec.structs.replace(ours, predicted=ours.predicted + 1, hits=ours.hits + 1)

    values = [
        ClassValue(name=name, candidate=counts(place), champion=champion(place, counts(place)))
        for place, name in enumerate(classes)
    ]
    return tuple(sorted(values, key=lambda one: one.candidate.f1 or 0.0))


def digits() -> Story:
    """Twelve classes, and a commit that changes its judge."""
    classes = tuple(f"class {number:02d}" for number in range(12))
    matrix = tuple(tuple(180 if row == column else (row + column) % 3 for column in range(12)) for row in range(12))
    counts = tuple(sum(line) for line in matrix)
    rows, right = sum(counts), 180 * 12
    won, lost, other = 30, 41, 9
    change = "gates[0]: accuracy >= 0.9 -> accuracy >= 0.85"
    gate = verdict(
        "accuracy >= 0.9",
        observed=right / rows,
        low=0.933,
        high=0.951,
        threshold=0.9,
        rows=rows,
        method="point/1",
        candidate=Side(value=right / rows, count=right, of=rows),
        champion=Side(value=(right + lost - won) / rows, count=right + lost - won, of=rows),
    )
    judged = Evaluation(
        task=Task.MULTICLASS,
        rows=rows,
        classes=classes,
        class_counts=counts,
        metrics=(
            MetricValue(metric="accuracy", value=right / rows, champion=(right + lost - won) / rows),
            MetricValue(metric="f1_macro", value=0.93, champion=0.94),
        ),
        flips=Flips(rows=rows, won=won, lost=lost, other=other),
        by_class=_digit_classes(classes, matrix),
        confusion=matrix,
    )
    told = decision(
        project="digits",
        outcome=Outcome.UNDECIDED,
        gates=(gate,),
        checks=DATA[:2],
        reason="The judge changes: 1 rule differs from 9e8d7c6 and waits for an approval",
        change=Change(kinds=("judge",), judge=("mlops.yaml",)),
        judge=JudgeRef(
            commit="9e8d7c6b5a4938271605f4e3d2c1b0a998877665",
            digest="d1ce" * 16,
            version="0.3.0",
            source="base",
            differences=(change,),
            head_verdicts=(verdict("accuracy >= 0.85", observed=right / rows, threshold=0.85),),
        ),
    )
    return story(
        told, evidence(evaluation=judged, snapshot=snapshot(rows=rows * 5, train_rows=rows * 4, holdout_rows=rows))
    )


def hostile() -> Story:
    """Every name is an attack."""
    gates = tuple(
        verdict(
            f"recall[{name}={name}] >= 0.5",
            Status.FAILED,
            observed=0.4,
            threshold=0.5,
            slice=f"{name}={name}",
            reason=name,
            method=name,
            candidate=Side(value=0.4),
            champion=Side(value=0.45),
            blocking=False,
            waived=Waiver(gate=name, reason=name, owner=name, until="2026-12-01", where=Where(name, 3)),
        )
        for name in HOSTILE
    )
    gates += tuple(verdict(f"rule {name}", Status.ERRORED, name=name, reason=name) for name in HOSTILE[:4])
    checks = tuple(
        result(name, name, status=Status.FAILED, column=name, where=Where(name, 3), details=f"```\n{name}\n````")
        for name in HOSTILE
    )
    checks += tuple(result(name, name, part=Part.TESTS, status=Status.FAILED, where=Where(name, 3)) for name in HOSTILE)
    change = Change(
        kinds=("data", "params", *HOSTILE[:2]),
        data=HOSTILE,
        code=HOSTILE,
        environment=HOSTILE,
        judge=HOSTILE,
        params=tuple(ParamChange(file=name, key=name, before=name, after=name) for name in HOSTILE),
    )
    data = DataChange(
        base_digest="1" * 32,
        base_rows=10,
        rows=20,
        added=10,
        removed=0,
        changed=0,
        files_added=HOSTILE,
        columns=tuple(
            ColumnChange(column=name, change=name, before=name, after=name, psi=0.5, floor=0.1) for name in HOSTILE
        ),
        target_after=tuple((name, 0.1) for name in HOSTILE),
    )
    cuts = tuple(
        SliceValue(column=name, value=name, rows=10, metrics={name: 0.5}, champion={name: 0.4}) for name in HOSTILE
    )
    judged = flights(
        classes=(HOSTILE[0], HOSTILE[7]),
        worse_slices=SliceSearch(metric=HOSTILE[0], looked_at=9, asked=5, rows=100),
        by_class=(ClassValue(name=HOSTILE[0], candidate=ClassCounts(rows=9, predicted=0, hits=0)),),
        slices=cuts,
        flips=Flips(
            rows=32_418,
            won=902,
            lost=1_002,
            other=0,
            by_slice=tuple(FlipSlice(column=name, value=name, rows=100, won=1, lost=2, other=0) for name in HOSTILE),
        ),
    )
    told = decision(
        project=" ".join(HOSTILE[:3]),
        outcome=Outcome.ERRORED,
        gates=gates,
        checks=checks,
        change=change,
        champion=ChampionRef(name=HOSTILE[0], commit=HOSTILE[1], decision=HOSTILE[2], reason=HOSTILE[13]),
        anchor=ChampionRef(name=HOSTILE[3], commit=HOSTILE[1], decision=HOSTILE[2], reason=HOSTILE[0]),
        subject=msgspec.structs.replace(decision().subject, commit_title=" ".join(HOSTILE)),
        judge=JudgeRef(
            commit=HOSTILE[4],
            digest=HOSTILE[5],
            version=HOSTILE[0],
            source="base",
            differences=HOSTILE,
            head_verdicts=tuple(msgspec.structs.replace(gate, waived=msgspec.UNSET) for gate in gates),
            idle_waivers=tuple(
                IdleWaiver(waiver=Waiver(gate=name, reason="", owner="", until=""), why=Idle.EXPIRED)
                for name in HOSTILE
            ),
        ),
    )
    before = Profile(rows=10, columns=tuple(_normal(name, 50, 10) for name in HOSTILE))
    return story(
        told,
        evidence(
            data_change=data,
            evaluation=judged,
            training=training(model=HOSTILE[0]),
            profile=before,
            snapshot=snapshot(split=HOSTILE[4]),
        ),
        profile_before=before,
        prefix=HOSTILE[0],
        earlier=tuple(Earlier(id=name, commit=name, outcome=Outcome.FAILED, sentence=name) for name in HOSTILE),
    )


STORIES = {
    "refused": refused,
    "new-data": new_data,
    "undecided": undecided,
    "waived": waived,
    "expired": expired,
    "measured": measured,
    "nearly-used-up": nearly_used_up,
    "worn-out": worn_out,
    "crept": crept,
    "verdict-only-passed": verdict_only_passed,
    "verdict-only-not-passed": verdict_only_not_passed,
    "verdict-only-retired": verdict_only_retired,
    "leak": leak,
    "crashed": crashed,
    "regression": regression,
    "multiclass": digits,
    "hostile": hostile,
}
