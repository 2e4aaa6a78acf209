"""After the merge: a commit that passed on the default branch is packaged, asked again, and released; or it is not.

The jobs of the releasing workflow in this process, each with what its token may do. Attacks change the artifact of the
job that runs the project's code: nothing of it is believed that the others can find out for themselves.
"""

from __future__ import annotations

import io
import json
import pickle
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml

from mlops_ci.edge import tables
from mlops_ci.errors import UsageError
from mlops_ci.packaging.manifest import manifest
from mlops_ci.records.bundles import ModelFile
from mlops_ci.records.stores import ItemKind
from mlops_ci.steps import stores
from mlops_ci.steps.packaged import _imports
from mlops_ci.steps.project import open_project
from tests import serving_bundles, signing_keys
from tests.e2e import test_release as tumours
from tests.e2e.scene import Scene, first
from tests.github.permissions import lowered
from tests.github.runner import RELEASE
from tests.github.site import LEDGER, git
from tests.workflow_renders import Case, rendered

ARTIFACT = "mlops-bundle-tumours"
ASKED = [
    (job, name, level)
    for path, text in rendered(Case()).items()
    if Path(path).name == RELEASE
    for job, told in yaml.safe_load(text)["jobs"].items()
    for name, level in told["permissions"].items()
]
LESS = [(job, name, None) for job, name, _ in ASKED] + [(*one[:2], "read") for one in ASKED if one[2] == "write"]
CHEAP = "cpu_per_request <= 1 s"
SETTINGS = tumours.SETTINGS.replace("gates: [", f"gates: [{CHEAP}, ")
WEAKER = {"params.yaml": "max_iter: 1000\nC: 0.05\n"}
Files = dict[str, bytes]


class Made(NamedTuple):
    """A repository whose main passed, what is due there, and what the packaging job left of it."""

    here: Scene
    rows: list[dict[str, Any]]
    left: bytes

    def releasing(
        self, left: dict[str, bytes], meanwhile: Callable[[Path], object] = lambda handed: None
    ) -> dict[str, Any]:
        """The decision that the last two jobs come to, from these artifacts."""
        done = self.here.jobs.released(self.here.site.on_recorded(), self.rows, left, meanwhile=meanwhile)
        assert done.rescore.code == 0, done.rescore.out
        newest = git(self.here.site.remote, "log", "--format=%H", "--max-count=1", LEDGER)
        changed = git(self.here.site.remote, "diff-tree", "-r", "--name-only", "--root", newest).splitlines()
        (path,) = [name for name in changed if name.endswith("/decision.json")]
        told: dict[str, Any] = json.loads(git(self.here.site.remote, "show", f"{LEDGER}:{path}"))["predicate"]
        assert told["kind"] == "release"
        assert done.release.code == {"passed": 0, "failed": 10, "errored": 11}[told["outcome"]], done.release.out
        assert told["reason"] in done.release.out
        return told | {"page": done.release.summary, "log": done.rescore.out + done.release.out}

    def fetched(self, kind: ItemKind, digest: str) -> Path:
        """An item of the store on a machine that had none of it."""
        site = self.here.site
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
            for name, value in site.github.environment(RELEASE, "release").items():
                patch.setenv(name, value)
            git(Path(folder), "clone", "--quiet", site.remote, "there")
            found = stores.find(open_project(Path(folder) / "there"), digest, print, kind=kind)
            assert found is not None
            return Path(shutil.copytree(found, site.folder / f"fetched-{kind}"))

    def numbers(self) -> list[str]:
        listed = git(self.here.site.remote, "ls-tree", "-r", "--name-only", LEDGER).splitlines()
        return [name for name in listed if name.startswith("releases/")]


@contextmanager
def due(folder: Path, files: Mapping[str, str | bytes]) -> Iterator[Made]:
    """Checked, recorded and packaged."""
    with first(folder, files) as here:
        event = here.site.on_recorded()
        rows = here.jobs.due(event)
        (row,) = rows
        ran, left = here.jobs.packaged(event, row)
        assert ran.code == 0, ran.out
        yield Made(here, rows, left)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    files = {
        "mlops.yaml": SETTINGS,
        "data/rows.csv": (tumours.TABLES / "breast_cancer.csv").read_bytes(),
        "pipeline/train.py": tumours.TRAIN,
        "params.yaml": "max_iter: 1000\n",
        ".gitignore": ".mlops-ci/*\n!.mlops-ci/*.lock\n__pycache__/\n",
    }
    with due(tmp_path_factory.mktemp("releasing"), files) as made:
        yield made


def test_what_the_jobs_ask_for() -> None:
    assert [(job, name) for job, name, level in ASKED if level == "write"] == [("release", "contents")]


@pytest.mark.parametrize(("job", "name", "level"), LESS)
def test_without_it_something_is_refused_and_nothing_released(
    made: Made, job: str, name: str, level: str | None
) -> None:
    """Every permission that a job asks for is used."""
    here, event = made.here, made.here.site.on_recorded()
    here.site.github.requests.clear()
    with lowered(here.site.workflows / RELEASE, job, name, level):
        if job == "plan":
            told = here.jobs.job(RELEASE, job, event)
        elif job == "package":
            told = here.jobs.packaged(event, made.rows[0])[0]
        else:
            told = getattr(here.jobs.released(event, made.rows, {ARTIFACT: made.left}), job)
    refused = {request.job for request in here.site.github.requests if request.status in (403, 404)}
    assert (refused, told.code in (None, 3)) == ({f"{RELEASE}: {job}"}, True), told.out
    assert made.numbers() == []


def dear(handed: Path) -> None:
    path = handed / "rescored.json"
    (told,) = json.loads(path.read_bytes())
    told["cost"]["facts"]["cpu_per_request"] = 1.5
    path.write_text(json.dumps([told]))


def other_table(handed: Path) -> None:
    (handed / "tumours.snapshot/table.parquet").write_bytes(b"PAR1")


@pytest.mark.parametrize(
    ("meanwhile", "outcome", "reason"),
    [
        (dear, "failed", f"{CHEAP}: 1.5 s is above 1 s"),
        (other_table, "errored", "tumours.snapshot is not what was laid there: table.parquet was changed"),
    ],
    ids=["a request costs too much", "another table"],
)
def test_what_is_handed_over_to_the_job_that_writes_decides(
    made: Made, meanwhile: Callable[[Path], None], outcome: str, reason: str
) -> None:
    told = made.releasing({ARTIFACT: made.left}, meanwhile=meanwhile)
    assert (told["outcome"], told["trust"]) == (outcome, "default-branch")
    assert reason in told["reason"]
    assert [one["verdict"] for one in told["gates"] if one["gate"] == CHEAP] == ["failed"] * (meanwhile is dear)
    assert made.numbers() == []
    assert not made.here.site.state.releases, "nothing is kept of what is no release"


def test_what_passed_on_the_default_branch_becomes_a_release(made: Made) -> None:
    tip = made.here.site.tip("main")
    assert [(row["project"], row["commit"]) for row in made.rows] == [("tumours", tip)]
    told = made.releasing({ARTIFACT: made.left})
    assert (told["outcome"], told["trust"], told["subject"]["commit"]) == ("passed", "default-branch", tip)
    checks = {check["check"]: (check["status"], check["message"]) for check in told["checks"]}
    assert checks["bundle_answers"][0] == "passed"
    assert checks["bundle_rows"][0] == "passed"
    assert "129 held-out rows: every label equal" in checks["bundle_rows"][1]
    assert "reported" not in told
    (cost,) = (gate for gate in told["gates"] if gate["gate"] == CHEAP)
    assert (cost["verdict"], 0 < cost["observed"] < 1) == ("passed", True)
    assert "of processor time, on average of " in told["page"]
    assert made.numbers() == ["releases/tumours/v1.json"]
    kept = json.loads(git(made.here.site.remote, "show", f"{LEDGER}:releases/tumours/v1.json"))
    assert (kept["commit"], kept["judged"]) == (tip, made.rows[0]["decision"])
    tags = {f"mlops-ci-{kind}-{kept[kind]}" for kind in ("bundle", "predictions", "snapshot")}
    there = {each.tag for each in made.here.site.state.releases.values()}
    assert there == tags, "a runner's own folder would be lost"
    table = made.fetched("snapshot", kept["snapshot"])
    known = json.loads((table / "snapshot.json").read_bytes())
    assert known["digest"] == told["subject"]["data"]
    back = tables.read({"rows": (table / "table.parquet",)}, None)
    assert (back.rows, back.names) == (known["rows"], tuple(name for name, _ in known["columns"]))
    assert "tumours: **released**" in told["page"]
    assert made.here.jobs.due(made.here.site.on_recorded()) == [], "it is one"


def test_the_next_commit_is_due_and_a_pull_request_never_is(made: Made) -> None:
    here = made.here
    here.pull(7, {"params.yaml": "max_iter: 900\n"})
    here.through(7)
    assert here.jobs.due(here.site.on_recorded()) == []
    sha = here.push("main", {"params.yaml": "max_iter: 1000\nC: 1.0e-9\n"})
    here.record(here.jobs.check(here.site.on_push(sha)))
    assert here.told(sha)[0] == "failure"
    assert here.jobs.due(here.site.on_recorded()) == [], "it was refused"


def members(archive: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def archived(files: Files, *more: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as into:
        for name, data in files.items():
            into.writestr(name, data)
        for info, data in more:
            into.writestr(info, data)
    return content.getvalue()


def listed_again(files: Files) -> Files:
    """With a manifest that says what is there, the runtime among it, as whoever lies would make one."""
    old = json.loads(files["bundle/manifest.json"])["files"]
    inside = {name.removeprefix("bundle/"): data for name, data in files.items() if name.startswith("bundle/")}
    del inside["manifest.json"]
    fresh = json.loads(manifest(inside))
    fresh["files"] |= {name: entry for name, entry in old.items() if name.startswith("serve/")}
    return files | {"bundle/manifest.json": json.dumps(fresh, sort_keys=True, separators=(",", ":")).encode()}


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Files], bytes]:
    return lambda files: archived(listed_again(files | {f"bundle/{name}": change(files[f"bundle/{name}"])}))


def serving(**keys: Any) -> Callable[[Files], bytes]:
    return changed("serving.json", lambda data: json.dumps(json.loads(data) | keys).encode())


def link(files: Files) -> bytes:
    info = zipfile.ZipInfo("bundle/model.onnx")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return archived({name: data for name, data in files.items() if name != info.filename}, (info, b"/etc/passwd"))


def pickled(files: Files) -> bytes:
    inside = {name: data for name, data in files.items() if name != "bundle/model.onnx"}
    inside["bundle/model.pkl"] = pickle.dumps(Bomb())
    told = json.loads(inside["bundle/serving.json"])
    told["model"], told["onnx"] = {"file": "model.pkl", "format": "pickle", "trusted": []}, None
    return archived(listed_again(inside | {"bundle/serving.json": json.dumps(told).encode()}))


def by_mlflow(files: Files) -> bytes:
    """A folder of MLflow, with a loader of its own, in place of the model."""
    inside = {name: data for name, data in files.items() if name != "bundle/model.onnx"}
    told = json.loads(inside["bundle/serving.json"])
    told["model"], told["onnx"] = {"file": "model", "format": "pyfunc", "predicts": "labels"}, None
    loader = f"import pathlib\npathlib.Path({str(FUSE)!r}).write_text('ran')\n".encode()
    inside |= {"bundle/model/MLmodel": b"flavors: {python_function: {loader_module: evil, code: .}}\n"}
    inside |= {"bundle/model/evil.py": loader, "bundle/serving.json": json.dumps(told).encode()}
    return archived(listed_again(inside))


def in_its_place(files: Files) -> bytes:
    """A pickle under the name of the ONNX model."""
    return archived(listed_again(files | {"bundle/model.onnx": pickle.dumps(Bomb())}))


FUSE = Path("/tmp/mlops-ci-a-pickle-ran")


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return FUSE.write_text, ("ran",)


def other_answers(data: bytes) -> bytes:
    told = json.loads(data)
    told["answers"]["probability_1"] = [0.5 for _ in told["answers"]["probability_1"]]
    return json.dumps(told).encode()


ATTACKS: dict[str, tuple[Callable[[Files], bytes], str, str]] = {
    "a path outside": (
        lambda files: archived(files | {"../../outside": b"x"}),
        "errored",
        "it holds a file named '../../outside'",
    ),
    "a link": (link, "errored", "bundle/model.onnx is no plain file"),
    "a manifest that lies": (
        lambda files: archived(files | {"bundle/model.onnx": files["bundle/model.onnx"] + b"\0"}),
        "errored",
        "the bundle is not what its manifest says: model.onnx was changed",
    ),
    "a file that is not listed": (
        lambda files: archived(files | {"bundle/more.py": b"import os"}),
        "errored",
        "the bundle is not what its manifest says: more.py is not listed",
    ),
    "a manifest that is none": (
        lambda files: archived(files | {"bundle/manifest.json": b"[" * 100_000}),
        "errored",
        "the bundle is not what its manifest says: manifest.json cannot be read",
    ),
    "a signature": (
        lambda files: archived(files | {"bundle/model.sig": b"{}"}),
        "errored",
        "the bundle is not what its manifest says: model.sig is not listed",
    ),
    "a runtime of its own": (
        lambda files: archived(files | {"bundle/serve/main.py": b"print()"}),
        "errored",
        "the bundle brings a runtime of its own",
    ),
    "other libraries": (
        changed("requirements.lock", lambda data: data + b"evil==1\n"),
        "errored",
        "requirements.lock of the bundle is not the one it is served with",
    ),
    "code of its own": (
        lambda files: archived(listed_again(files | {"bundle/code/evil.py": b"print()"})),
        "errored",
        "code/evil.py of the bundle is not the commit's",
    ),
    "a bundle of another commit": (serving(commit="c" * 40), "errored", "the bundle is of tumours ccccccc"),
    "a bundle of another project": (serving(project="flights"), "errored", "the bundle is of flights "),
    "a pickle that nobody asked for": (
        pickled,
        "errored",
        "the bundle holds a pickle, and package.format is auto",
    ),
    "a model of MLflow that nobody asked for": (
        by_mlflow,
        "errored",
        "the bundle holds a pyfunc, and package.format is auto",
    ),
    "a loader of its own for MLflow": (
        changed("MLmodel", lambda data: data.replace(b"mlops_ci_serving.pyfunc", b"evil")),
        "errored",
        "MLmodel of the bundle is not as mlops-ci writes it",
    ),
    "other libraries for MLflow": (
        changed("requirements.txt", lambda data: data + b"evil==1\n"),
        "errored",
        "requirements.txt of the bundle is not as mlops-ci writes it",
    ),
    "a pickle in place of the model": (in_its_place, "failed", "bundle_answers: "),
    "other golden answers": (changed("golden.json", other_answers), "failed", "bundle_answers: golden.json: row 0"),
    "golden requests that are none": (changed("golden.json", lambda data: b"{}"), "errored", "golden.json cannot be"),
    "no artifact": (lambda files: b"", "errored", "the job that packages it left no bundle"),
    "no zip": (lambda files: b"PK\x03\x04 not one", "errored", "it is no zip file that can be read"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_the_packaging_job_leaves_is_not_believed(made: Made, name: str) -> None:
    change, outcome, reason = ATTACKS[name]
    before = made.numbers()
    content = change(members(made.left))
    told = made.releasing({ARTIFACT: content} if content else {})
    assert told["outcome"] == outcome
    assert reason in told["reason"]
    assert reason in told["page"].replace("\\", "")
    assert made.numbers() == before
    assert not FUSE.exists(), "code of the bundle ran"


def test_what_a_pickle_takes_is_read_from_the_bundle(tmp_path: Path) -> None:
    """And not from what the job that made it says; without loading it."""
    bundle = serving_bundles.write(tmp_path / "bundle", serving_bundles.kept())
    model = ModelFile(file="model.pkl", format="pickle")
    assert "sklearn.linear_model._logistic.LogisticRegression" in (_imports(bundle, model) or ())
    (bundle / "model.pkl").write_bytes(pickle.dumps(Bomb()))
    assert "builtins.getattr" in (_imports(bundle, model) or ())
    assert not FUSE.exists(), "it was loaded"
    with pytest.raises(UsageError, match=r"manifest\.json of the bundle lists no \.\./outside\.pkl"):
        _imports(bundle, msgspec.structs.replace(model, file="../outside.pkl"))
    assert _imports(bundle, msgspec.structs.replace(model, format="skops")) is msgspec.UNSET


def test_another_model_that_fits_its_own_golden_requests_is_found_by_the_rows(made: Made) -> None:
    here = made.here
    sha = here.push("weaker", WEAKER, start=made.rows[0]["commit"])
    ran, other = here.jobs.packaged(here.site.on_recorded(), {**made.rows[0], "commit": sha})
    assert ran.code == 0, ran.out
    files, theirs = members(made.left), members(other)
    swapped = {name: theirs[name] for name in ("bundle/model.onnx", "bundle/golden.json")}
    before = made.numbers()
    told = made.releasing({ARTIFACT: archived(listed_again(files | swapped))})
    checks = {check["check"]: check for check in told["checks"]}
    assert checks["bundle_answers"]["status"] == "passed", "by itself it is a bundle as any other"
    assert checks["bundle_rows"]["status"] == "failed"
    assert "the model answers" in checks["bundle_rows"]["message"]
    assert (told["outcome"], made.numbers()) == ("failed", before)


def test_what_another_run_left_is_not_looked_at(made: Made) -> None:
    """As the run of a fork would, under the same name."""
    here = made.here
    pull = here.site.on_pull_request(7) if 7 in here.site.state.pulls else here.site.on_push(here.site.tip("main"))
    here.site.finished(pull, "success", {ARTIFACT: made.left})
    before = made.numbers()
    done = here.jobs.released(here.site.on_recorded(), made.rows, {})
    assert done.release.code == 11
    assert "the job that packages it left no bundle" in done.release.out
    assert made.numbers() == before


def test_a_store_that_is_lost_with_the_runner_is_refused(made: Made) -> None:
    here = made.here
    settings = f"{tumours.SETTINGS}store: bundles\n"
    sha = here.push("main", {"mlops.yaml": settings, "params.yaml": "max_iter: 1000\n"})
    here.record(here.jobs.check(here.site.on_push(sha)))
    rows = here.jobs.due(here.site.on_recorded())
    assert [row["commit"] for row in rows] == [sha]
    ran, left = here.jobs.packaged(here.site.on_recorded(), rows[0])
    assert ran.code == 0, ran.out
    told = made._replace(rows=rows).releasing({ARTIFACT: left})
    assert told["outcome"] == "errored"
    assert "bundles is a folder of the runner" in told["reason"]
    assert here.jobs.due(here.site.on_recorded()) == [], "it is not tried again by itself"
    assert here.jobs.due(here.site.on_dispatch()) == rows, "but where somebody asks for it"


def test_the_last_job_signs_where_a_key_is_trusted(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that cannot be used is told before anything is written; none at all by the decision."""
    here, keys = made.here, [signing_keys.pair(tmp_path, name) for name in ("ours", "theirs")]
    settings = f"{tumours.SETTINGS}".replace("package: {", "package: {trust: release.pub, ")
    sha = here.push("main", {"mlops.yaml": settings, "release.pub": keys[0].public.read_bytes()} | WEAKER)
    here.record(here.jobs.check(here.site.on_push(sha)))
    rows = here.jobs.due(here.site.on_recorded())
    ran, left = here.jobs.packaged(here.site.on_recorded(), rows[0])
    assert ran.code == 0, ran.out
    due, before = made._replace(rows=rows), made.numbers()
    assert "releases are to be signed, and no key is named" in due.releasing({ARTIFACT: left})["reason"]
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(keys[1].private))
    assert "releases are to be signed by key" in due.releasing({ARTIFACT: left})["reason"]
    ledger = git(here.site.remote, "rev-parse", LEDGER)
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(tmp_path / "none.pem"))
    done = here.jobs.released(here.site.on_recorded(), rows, {ARTIFACT: left})
    assert (done.rescore.code, done.release.code) == (0, 2), done.release.out
    assert "none.pem: the key cannot be read" in done.release.out
    assert (git(here.site.remote, "rev-parse", LEDGER), made.numbers()) == (ledger, before)
    monkeypatch.setenv("MLOPS_CI_SIGNING_KEY", str(keys[0].private))
    assert due.releasing({ARTIFACT: left})["outcome"] == "passed"
    (path,) = set(made.numbers()) - set(before)
    kept = json.loads(git(here.site.remote, "show", f"{LEDGER}:{path}"))
    tags = {each.tag for each in here.site.state.releases.values()}
    assert {f"mlops-ci-bundle-{kept['bundle']}", f"mlops-ci-signature-{kept['signature']['digest']}"} <= tags


def test_a_row_that_the_ledger_does_not_let_through_is_no_release(made: Made) -> None:
    here, before = made.here, made.numbers()
    for changed_row in ({"commit": here.site.tip("main")}, {"decision": "ab" * 32}):
        rows = [{**made.rows[0], **changed_row}]
        done = here.jobs.released(here.site.on_recorded(), rows, {ARTIFACT: made.left})
        assert done.release.code != 0
        assert made.numbers() == before
