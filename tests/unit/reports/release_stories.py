"""Made-up releases: a first one, one after another, one that is refused, one that could not be made."""

from __future__ import annotations

import msgspec

from mlops_ci.records.decisions import Change, DecisionKind, Evidence, FactNote, ParamChange, TrainingInfo, Trust
from mlops_ci.records.evaluation import Interval, MetricValue
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.releases import BundleInfo, Comparison, ImageInfo, Installed, Parity, Signature, Tried
from mlops_ci.records.stores import StoredItem
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports.story import Story
from tests.unit.reports.report_stories import decision, result, snapshot

BASE = f"python:3.12-slim@sha256:{'b' * 64}"


def bundle(*, number: int = 2, format_: str = "onnx", signed: bool = False) -> BundleInfo:
    return BundleInfo(
        digest="b1" * 32,
        format=format_,  # type: ignore[arg-type]
        bytes=1_240_000,
        files=46,
        fingerprint="f1" * 32,
        tried=(Tried(format="onnx", outcome="accepted"),),
        parity=Parity(
            rows=32_418, labels_differ=0, largest_difference=2e-7, tolerance=1e-5, worst_row=11, hunted={"jump": 146}
        ),
        decision="d1" * 32,
        number=number,
        signature=Signature(digest="5a" * 32, key="10858b73c968" + "0" * 52) if signed else msgspec.UNSET,
    )


def training() -> TrainingInfo:
    return TrainingInfo(
        rung="entrypoint", model="HistGradientBoostingClassifier", features=("temp", "origin"), seed=7, digest="a1" * 32
    )


def image(reference: str = f"ghcr.io/acme/flights@sha256:{'e' * 64}") -> ImageInfo:
    return ImageInfo(
        reference=reference,
        base=BASE,
        fingerprint="f1" * 32,
        bytes=312_000_000,
        layers=("sha256:1", "sha256:2", "sha256:3"),
        sizes=(240_000_000, 70_800_000, 1_200_000),
    )


def first() -> Story:
    """Made at a desk: no image, nothing before it."""
    evidence = Evidence(snapshot=snapshot(), training=training(), bundle=bundle(number=1))
    return story("v1 is the model of decision d1d1d1d as onnx, 1.2 MB", evidence, trust=Trust.DESK)


def second() -> Story:
    """With an image, signed, after another."""
    metrics = (
        MetricValue(metric="roc_auc", value=0.8412, champion=0.838),
        MetricValue(metric="log_loss", value=0.4211, champion=0.4302, higher_is_better=False, unit="nats"),
    )
    comparison = Comparison(
        release="v1",
        commit="0f1e2d3c4b5a69788796a5b4c3d2e1f001122334",
        rows=(158_001, 166_158),
        format=("skops", "onnx"),
        bytes=(8_100_000, 1_240_000),
        image_bytes=(0, 312_000_000),
        packages={"lightgbm": ("4.5.0", ""), "scikit-learn": ("1.8.2", "1.9.1")},
        metrics=metrics,
        intervals={"roc_auc": Interval(0.8361, 0.8462, 0.95, "delong/1")},
    )
    change = Change(
        kinds=("data", "params", "environment"),
        data=("data/flights/2013-06.parquet",),
        environment=("requirements.lock",),
        params=(ParamChange(file="params.yaml", key="max_depth", before="8", after="4", line=2),),
    )
    evidence = Evidence(
        snapshot=snapshot(),
        training=training(),
        bundle=bundle(signed=True),
        image=image(),
        rows=StoredItem(digest="c3" * 32, bytes=1_020_000),
        table=StoredItem(digest="c4" * 32, bytes=9_400_000),
        comparison=comparison,
    )
    return story("v2 is the model of decision d1d1d1d as onnx, 1.2 MB", evidence, change=change)


def refused() -> Story:
    """Another model than the judged one."""
    message = "row 3: the model answers probability_1 0.31; when it was judged 0.29 (a difference of 1e-05 is allowed)"
    wrong = result("bundle_rows", message, status=Status.FAILED)
    evidence = Evidence(snapshot=snapshot(), training=training(), bundle=bundle(number=0))
    return story(f"bundle_rows: {message}", evidence, outcome=Outcome.FAILED, checks=(wrong,))


def too_large() -> Story:
    """A bundle that a gate of the release does not let through."""
    gates = (
        Verdict(gate="bundle_size <= 1 MB", name="the bundle", verdict=Status.FAILED, reason="1.2 MB is above 1 MB"),
        Verdict(gate="image_size <= 1 GB", name="the image", verdict=Status.SKIPPED, reason="the release has no image"),
    )
    told = "The bundle takes 1.2 MB, its runtime, lock and papers with the model"
    evidence = Evidence(
        snapshot=snapshot(),
        training=training(),
        bundle=bundle(number=0),
        facts={"bundle_size": 1_240_000.0},
        fact_notes={"bundle_size": FactNote(unit="bytes", told=told)},
    )
    return story("bundle_size <= 1 MB: 1.2 MB is above 1 MB", evidence, outcome=Outcome.FAILED, gates=gates)


def reported() -> Story:
    """A format that nobody but the packaging job has loaded."""
    told = ("what the bundle answers to its golden requests", "what the bundle answers on the held-out rows")
    evidence = Evidence(snapshot=snapshot(), training=training(), bundle=bundle(format_="skops"))
    message = "as the job that made it says; skops runs code when it is loaded, and is not loaded here"
    unasked = result("bundle_answers", message, status=Status.SKIPPED)
    return story("v2 is the model of decision d1d1d1d as skops, 1.2 MB", evidence, reported=told, checks=(unasked,))


def pyfunc() -> Story:
    """A model of MLflow, with libraries of hostile names."""
    largest = (("torch", 521_000_000), ("<b>|`x`", 110_000_000), ("pandas", 64_000_000), ("numpy", 44_000_000))
    weights = Installed(libraries=64, bytes=940_000_000, largest=(*largest, ("mlflow-skinny", 21_000_000), ("six", 1)))
    made = msgspec.structs.replace(bundle(format_="pyfunc"), installed=weights)
    evidence = Evidence(snapshot=snapshot(), training=training(), bundle=made)
    return story("v2 is the model of decision d1d1d1d as pyfunc, 1.2 MB", evidence, trust=Trust.DESK)


def pickled() -> Story:
    """A pickle, with hostile names among those it takes."""
    names = ("</details><b>", "a name computed while loading", "numpy.dtype", "posix.system`|` ${{ x }}")
    made = msgspec.structs.replace(bundle(format_="pickle"), imports=names)
    evidence = Evidence(snapshot=snapshot(), training=training(), bundle=made)
    return story("v2 is the model of decision d1d1d1d as pickle, 1.2 MB", evidence, trust=Trust.DESK)


def errored() -> Story:
    """Nothing came of the packaging job; what it is about is hostile."""
    why = "<script>alert(1)</script> | `x` ${{ secrets.TOKEN }}"
    wrong = result("bundle", why, status=Status.ERRORED)
    evidence = Evidence(snapshot=snapshot(), training=training())
    return story(f"the bundle could not be made: {why}", evidence, outcome=Outcome.ERRORED, checks=(wrong,))


def story(reason: str, evidence: Evidence, **more: object) -> Story:
    plain = {"kind": DecisionKind.RELEASE, "trust": Trust.DEFAULT_BRANCH, "base": "", "champion": None}
    answers = result("bundle_answers", "loaded by itself it gives the judged answers to 32 golden requests")
    told = {**plain, "change": Change(), "reason": reason, "checks": (answers,), **more}
    return Story(decision=decision(**told), decision_id="e5" * 32, evidence=evidence)


STORIES = {each.__name__: each for each in (first, second, refused, too_large, reported, pyfunc, pickled, errored)}
