"""verify: nothing to say of an untouched repository, and every tampering found where it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mlops_ci.cli import main
from mlops_ci.config import environment_file
from mlops_ci.edge.git import Repository
from mlops_ci.errors import UsageError
from mlops_ci.flows.verify import verify
from mlops_ci.ledger import arrays
from mlops_ci.ledger.names import BRANCH
from mlops_ci.records.canonical import canonical_json
from mlops_ci.records.decisions import Decision, Evidence
from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.releases import Release
from mlops_ci.records.verdicts import Verdict
from mlops_ci.records.verified import How, Verified
from mlops_ci.steps import ledger
from mlops_ci.steps.progress import Silent
from tests import audited
from tests.audited import Ledger
from tests.helpers import commit, git

replace = msgspec.structs.replace
PRODUCTION = "environments/production.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audited.project(tmp_path_factory.mktemp("made") / "r")


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "r", symlinks=True)


def asked(root: Path, what: str = "", **more: Any) -> Verified:
    return verify(root, what, Silent(), **more)


def test_an_untouched_repository_has_no_problem_and_every_verdict_is_recomputed(root: Path) -> None:
    found = asked(root, everything=True)
    assert found.problems == ()
    assert (found.checked.decisions, found.checked.releases, found.checked.environments) == (9, 2, 2)
    hows = [one.how for one in found.gates]
    assert (hows.count(How.RECOMPUTED), hows.count(How.RECORDED), hows.count(How.UNAVAILABLE)) == (10, 2, 0)
    assert found.notes == ()


def test_an_environment_is_verified_with_what_stands_behind_it(root: Path) -> None:
    found = asked(root, "production")
    assert found.ok
    assert found.checked == replace(found.checked, environments=1, releases=1, decisions=3)
    assert found.authenticity.authenticated
    assert "which the rollback" in found.authenticity.told
    assert asked(root).checked.environments == 2
    release = asked(root, "v2")
    assert (release.ok, release.checked.decisions, release.authenticity.authenticated) == (True, 2, True)
    one = Ledger(root).folder("check").rpartition("/")[2]
    assert asked(root, one[:10]).checked.decisions == 1


@pytest.mark.parametrize(("what", "told"), [("prod", "no environment"), ("v9", "no release"), ("", "")])
def test_what_is_not_there_is_said(root: Path, what: str, told: str) -> None:
    if not what:
        git(root, "update-ref", "-d", f"refs/heads/{BRANCH}")
    with pytest.raises(UsageError, match=told or "nothing has been decided"):
        asked(root, what)


# Tamperings: each changes one thing as somebody with the right to write could, and says where it is to be found.


def edited_evidence(root: Path) -> str:
    path = f"{Ledger(root).folder('check')}/evidence/evidence.json"
    Ledger(root).write({path: Ledger(root).read(path).replace(b'"data.rows":1000', b'"data.rows":9000')})
    return f"{path}: is not what the decision was made from"


def edited_decision(root: Path) -> str:
    path = f"{Ledger(root).folder('check')}/decision.json"
    Ledger(root).write({path: Ledger(root).read(path).replace(b'"trust":"desk"', b'"trust":"default-branch"')})
    return f"{path}: its sha256 is"


def edited_report(root: Path) -> str:
    path = f"{Ledger(root).folder('check')}/report.md"
    Ledger(root).write({path: b"# All is well\n"}, forced=False)
    return f"{path}: commit "


def edited_run(root: Path) -> str:
    path = f"{Ledger(root).folder('check')}/run.json"
    Ledger(root).write({path: json.dumps(json.loads(Ledger(root).read(path)), indent=1).encode()})
    return f"{path}: is not canonical JSON"


def swapped_arrays(root: Path) -> str:
    one, other = (f"{Ledger(root).folder('check', number)}/evidence/scores.npy" for number in (0, 1))
    Ledger(root).swap(one, other)
    return f"{one}: is not what the decision was made from"


def swapped_rows(root: Path) -> str:
    (path,) = (one for one in Ledger(root).paths("holdouts/", ".npy") if "/truth-" in one)
    turned = 1 - arrays.decode(Ledger(root).read(path), name=path)
    Ledger(root).write({path: arrays.encode(turned)})
    return f"{path}: was changed"


def _gate(number: int, **changes: Any) -> Callable[[Decision], Decision]:
    def change(made: Decision) -> Decision:
        gates: list[Verdict] = list(made.gates)
        gates[number] = replace(gates[number], **changes)
        return replace(made, gates=tuple(gates))

    return change


def turned_verdict(root: Path) -> str:
    change = _gate(4, verdict=Status.PASSED, waived=msgspec.UNSET, blocking=True)
    made = Ledger(root).forge(Ledger(root).folder("check"), change)
    return f"decision {_id(made)[:12]}: recall >= 0.99: recorded passed, the evidence says failed"


def turned_outcome(root: Path) -> str:
    made = Ledger(root).forge(Ledger(root).folder("check"), lambda one: replace(one, outcome=Outcome.FAILED))
    return f"decision {_id(made)[:12]}: recorded failed, its answers say passed"


def changed_gate(root: Path) -> str:
    change = _gate(0, gate="roc_auc >= 0.5", name="roc_auc >= 0.5", threshold=0.5)
    made = Ledger(root).forge(Ledger(root).folder("check"), change)
    return f"decision {_id(made)[:12]}: it judged roc_auc >= 0.5, and mlops.yaml at"


def left_out_gate(root: Path) -> str:
    made = Ledger(root).forge(Ledger(root).folder("check"), lambda one: replace(one, gates=one.gates[1:]))
    return f"decision {_id(made)[:12]}: mlops.yaml at {_short(root)} has roc_auc >= 0.72, and it was not asked"


def changed_threshold(root: Path) -> str:
    made = Ledger(root).forge(Ledger(root).folder("check"), _gate(0, threshold=0.5))
    return f"decision {_id(made)[:12]}: roc_auc >= 0.72: recorded threshold 0.5, the evidence says 0.72"


def changed_bound(root: Path) -> str:
    made = Ledger(root).forge(Ledger(root).folder("check"), _gate(1, low=0.99))
    return f"decision {_id(made)[:12]}: accuracy >= 0.6 @ 95%: recorded low 0.99, the evidence says"


def changed_fact(root: Path) -> str:
    made = Ledger(root).forge(
        Ledger(root).folder("check"), evidence=lambda one: replace(one, facts={"data.rows": 50.0})
    )
    return f"decision {_id(made)[:12]}: data.rows >= 100: recorded passed, the evidence says failed"


def waved_through(root: Path) -> str:
    made = Ledger(root).forge(Ledger(root).folder("check"), _gate(4, waived=msgspec.UNSET))
    return f"decision {_id(made)[:12]}: recall >= 0.99: failed, and nothing lets it through"


def short_predictions(root: Path) -> str:
    files = {"labels.npy": arrays.encode(np.zeros(3, dtype=np.int32))}
    made = Ledger(root).forge(Ledger(root).folder("check"), files=files)
    return f"{made}/evidence: labels has the shape (3,), and the holdout 240 rows"


def unknown_classes(root: Path) -> str:
    files = {"labels.npy": arrays.encode(np.full(240, 2**30, dtype=np.int32))}
    made = Ledger(root).forge(Ledger(root).folder("check"), files=files)
    return f"{made}/evidence: labels holds codes that are none of 2"


def other_predictions(root: Path) -> str:
    files = {"labels.npy": arrays.encode(np.zeros(240, dtype=np.int32))}
    made = Ledger(root).forge(Ledger(root).folder("check"), files=files)
    return f"decision {_id(made)[:12]}: its predictions are not those that its evidence names"


def removed_decision(root: Path) -> str:
    judged = _release(root, "v1").judged
    (folder,) = {path.rpartition("/")[0] for path in Ledger(root).paths() if path.endswith(f"{judged}/decision.json")}
    Ledger(root).write(dict.fromkeys(Ledger(root).paths(f"{folder}/")))
    return f"releases/flights/v1.json: the ledger has no decision {judged[:12]} that passed its model"


def missing_evidence(root: Path) -> str:
    path = f"{Ledger(root).folder('check')}/evidence/labels.npy"
    Ledger(root).write({path: None})
    return f"{path}: is missing"


def extra_file(root: Path) -> str:
    path = f"{Ledger(root).folder('promotion')}/evidence/more.json"
    Ledger(root).write({path: b"{}"})
    return f"{path}: the decision names no such file"


def extra_in_the_ledger(root: Path) -> str:
    Ledger(root).write({"install.sh": b"curl | sh\n"})
    return "install.sh: is nothing that a ledger has"


def another_id(root: Path) -> str:
    folder = Ledger(root).folder("check")
    new = f"{folder.rpartition('/')[0]}/{'ab' * 32}"
    old = Ledger(root).paths(f"{folder}/")
    Ledger(root).write({path.replace(folder, new): Ledger(root).read(path) for path in old} | dict.fromkeys(old))
    return f"{new}/decision.json: its sha256 is"


def not_canonical(root: Path) -> str:
    folder = Ledger(root).folder("check")
    data = json.dumps(json.loads(Ledger(root).read(f"{folder}/decision.json"))).encode()
    new = Ledger(root).replace(folder, data, {})
    return f"{new}/decision.json: it is not a decision of mlops-ci: it is not canonical JSON"


def another_day(root: Path) -> str:
    folder = Ledger(root).folder("check")
    new = folder.replace("2024/05/01", "2023/05/01")
    old = Ledger(root).paths(f"{folder}/")
    Ledger(root).write({path.replace(folder, new): Ledger(root).read(path) for path in old} | dict.fromkeys(old))
    return f"{new}/decision.json: it lies in the folder of another day"


def _bundles(root: Path) -> list[Path]:
    return sorted((root / ".mlops-ci/store/bundles").iterdir())


def swapped_bundle(root: Path) -> str:
    one, other = _bundles(root)
    one.rename(one.with_name("x"))
    other.rename(one)
    return f"the store: bundle {one.name[:12]}: what is here as bundle {one.name[:12]} was changed: manifest.json"


def changed_bundle(root: Path) -> str:
    one = _bundles(root)[0]
    (one / "model.onnx").write_bytes(b"another\n")
    return f"the store: bundle {one.name[:12]}: what is here as bundle {one.name[:12]} was changed: model.onnx was"


def bundle_with_more(root: Path) -> str:
    one = _bundles(root)[0]
    (one / "sitecustomize.py").write_text("raise SystemExit\n")
    return f"the store: bundle {one.name[:12]}: what is here as bundle {one.name[:12]} was changed: sitecustomize.py is"


def _release(root: Path, name: str) -> Release:
    return msgspec.json.decode(Ledger(root).read(f"releases/flights/{name}.json"), type=Release)


def _write_release(root: Path, name: str, *, forced: bool = True, **changes: Any) -> str:
    path = f"releases/flights/{name}.json"
    Ledger(root).write({path: canonical_json(replace(_release(root, name), **changes))}, forced=forced)
    return path


def reused_number(root: Path) -> str:
    before = _release(root, "v1")
    Ledger(root).write({"releases/flights/v1.json": None})
    audited.release(root, 3, audited.checked(root, 3), name=1)
    return f"releases/flights/v1.json: the number was used twice: {before.decision[:12]} made it too"


def another_projects_release(root: Path) -> str:
    return f"{_write_release(root, 'v1', project='weather')}: it says it is v1 of weather"


def another_bundle(root: Path) -> str:
    path = _write_release(root, "v1", bundle=_release(root, "v2").bundle)
    return f"{path}: its bundle is {_release(root, 'v2').bundle}, and its decision made"


def refused_release(root: Path) -> str:
    made = _release(root, "v1").decision
    (folder,) = {path.rpartition("/")[0] for path in Ledger(root).paths() if path.endswith(f"{made}/decision.json")}
    new = Ledger(root).forge(folder, lambda one: replace(one, outcome=Outcome.FAILED))
    path = _write_release(root, "v1", decision=_id(new))
    return f"{path}: its decision {_id(new)[:12]} refused it"


def release_of_another_kind(root: Path) -> str:
    path = _write_release(root, "v1", judged=_id(Ledger(root).folder("promotion")))
    return f"{path}: its model was judged by {_id(Ledger(root).folder('promotion'))[:12]}, a promotion"


def release_edited_later(root: Path) -> str:
    path = _write_release(root, "v1", forced=False, image="evil@sha256:" + "0" * 64)
    return f"{path}: commit {git(root, 'rev-parse', BRANCH)[:12]} of the ledger changed it"


def removed_later(root: Path) -> str:
    path = f"{Ledger(root).folder('rollback')}/report.md"
    Ledger(root).write({path: None}, forced=False)
    return f"{path}: commit {git(root, 'rev-parse', BRANCH)[:12]} of the ledger removed it"


def rewritten_history(root: Path) -> str:
    Ledger(root).write({})
    return f"{BRANCH}: the head "


def cut_history(root: Path) -> str:
    git(root, "update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~1")
    return f"{PRODUCTION} at {git(root, 'rev-parse', 'main')[:12]}: v1 by the decision "


def removed_look(root: Path) -> str:
    path = next(one for one in Ledger(root).paths("holdouts/", ".json") if "/index-" not in one)
    Ledger(root).write({path: None})
    return f"{path}: is missing: decision "


def changed_look(root: Path) -> str:
    path = next(one for one in Ledger(root).paths("holdouts/", ".json") if "/index-" not in one)
    Ledger(root).write({path: Ledger(root).read(path).replace(b"flights", b"weather")})
    return f"{path}: was changed: its name is the digest of another look"


def _file(root: Path, message: str, change: Callable[[str], str], path: str = PRODUCTION) -> str:
    """A commit of somebody who edits an environment's file."""
    made = commit(root, {path: change((root / path).read_text())}, message)
    return f"{path} at {made[:12]}"


def by_hand(root: Path) -> str:
    old, new = _release(root, "v2").bundle, _release(root, "v1").bundle
    dev = "environments/dev.yaml"
    where = _file(root, "Slower", lambda text: text.replace("v2", "v1", 1).replace(old, new, 1), dev)
    return f"{where}: v1 without a decision of its own"


def by_hand_from_the_start(root: Path) -> str:
    text = (root / PRODUCTION).read_text().replace(_file_of(root).decision, "ab" * 32)
    where = _file(root, "By hand", lambda _: text)
    return f"{where}: v1 by the decision abababababab, which the ledger does not have"


def decision_of_another_environment(root: Path) -> str:
    dev = environment_file.parse((root / "environments/dev.yaml").read_text(), file="dev.yaml")
    state = _file_of(root)
    kept = state.quarantine[0]
    where = _file(
        root,
        "As in dev",
        lambda _: environment_file.written(None, dev.runs, dev.decision, kept, file="x"),  # type: ignore[arg-type]
    )
    return f"{where}: it names {dev.decision[:12]}, a decision about dev"


def _file_of(root: Path) -> Any:
    return environment_file.parse((root / PRODUCTION).read_text(), file=PRODUCTION)


def unquarantined_by_the_way(root: Path) -> str:
    text = git(root, "show", f"main~1:{PRODUCTION}")
    where = _file(root, "Revert", lambda _: text + "\n")
    return f"{where}: the quarantine of v2 was lifted together with a move"


def quarantined_again(root: Path) -> str:
    text, now = git(root, "show", f"main~1:{PRODUCTION}"), (root / PRODUCTION).read_text()
    where = _file(root, "Faster", lambda _: text + "\n" + now[now.index("quarantine:") :])
    return f"{where}: v2 is in quarantine: too slow"


def rollback_that_keeps_nothing_out(root: Path) -> str:
    """The commit of the rollback, made anew without its entry."""
    text = (root / PRODUCTION).read_text()
    git(root, "reset", "--quiet", "--hard", "main~1")
    where = _file(root, "Roll back", lambda _: text[: text.index("quarantine:")])
    return f"{where}: the rollback kept v2 out, and the file does not say so"


def expired_waiver(root: Path) -> str:
    until = "2024-04-01"
    made = commit(root, {"waivers.yaml": audited.WAIVERS.replace("2024-06-01", until)}, "Waive")

    def change(one: Decision) -> Decision:
        return _gate(4, waived=replace(one.gates[4].waived, until=until))(one)  # type: ignore[type-var]

    audited.checked(root, 4, change=change, commit=made)
    return f"recall >= 0.99 is recorded as waived, and {made[:7]} does not waive it so"


def dated_back(root: Path) -> str:
    def change(made: Decision) -> Decision:
        return replace(made, subject=replace(made.subject, commit_time="2024-05-01T08:00:00Z"))

    new = Ledger(root).forge(Ledger(root).folder("check"), change)
    return f"{new}/decision.json: it says its commit was made at 2024-05-01T08:00:00Z, and git says 2024-05-01T12:00"


def another_tree(root: Path) -> str:
    def change(made: Decision) -> Decision:
        return replace(made, subject=replace(made.subject, tree="ab" * 20))

    new = Ledger(root).forge(Ledger(root).folder("check"), change)
    return f"{new}/decision.json: its tree is not the one of its commit"


def _moved(root: Path, **changes: Any) -> str:
    def change(kept: Evidence) -> Evidence:
        return replace(kept, move=replace(kept.move, **changes))  # type: ignore[type-var]

    return _id(Ledger(root).forge(Ledger(root).folder("rollback"), evidence=change))[:12]


def move_dated_back(root: Path) -> str:
    return f"decision {_moved(root, at='2025-01-01T00:00:00Z')}: it is dated back"


def move_from_elsewhere(root: Path) -> str:
    return f"decision {_moved(root, before=None, replaced='')}: it says nothing ran in production, and {PRODUCTION}"


def rule_turned(root: Path) -> str:
    def change(made: Decision) -> Decision:
        checks = [replace(one, status=Status.PASSED) if one.check == "soak" else one for one in made.checks]
        return replace(made, checks=tuple(checks))

    new = Ledger(root).forge(Ledger(root).folder("promotion"), change)
    return f"decision {_id(new)[:12]}: the rule soak: recorded passed, and it was skipped"


def _gated(root: Path) -> str:
    """The folder of a promotion that gates were asked of."""
    folders = [Ledger(root).folder("promotion", number) for number in range(4)]
    return next(one for one in folders if Ledger(root).predicate(f"{one}/decision.json")["gates"])


def gate_of_the_environment_left_out(root: Path) -> str:
    new = Ledger(root).forge(_gated(root), lambda one: replace(one, gates=()))
    return f"decision {_id(new)[:12]}: production had gates at"


def gate_of_the_environment_turned(root: Path) -> str:
    new = Ledger(root).forge(_gated(root), _gate(0, observed=0.75))
    return f"decision {_id(new)[:12]}: roc_auc >= 0.7: recorded observed 0.75, the evidence says"


def link_in_the_ledger(root: Path) -> str:
    blob = git(root, "hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    tree = git(root, "mktree", stdin=f"120000 blob {blob}\tREADME.md\n".encode())
    git(root, "update-ref", f"refs/heads/{BRANCH}", git(root, "commit-tree", tree, "-p", BRANCH, "-m", "x"))
    return "README.md: is no plain file"


def _id(folder: str) -> str:
    return folder.rpartition("/")[2]


def _short(root: Path) -> str:
    """The commit that the rules of checks come from."""
    return git(root, "rev-list", "--max-parents=0", "main")[:7]


TAMPERINGS = (
    edited_evidence,
    edited_decision,
    edited_report,
    edited_run,
    swapped_arrays,
    swapped_rows,
    turned_verdict,
    turned_outcome,
    changed_gate,
    left_out_gate,
    changed_threshold,
    changed_bound,
    changed_fact,
    waved_through,
    short_predictions,
    unknown_classes,
    other_predictions,
    removed_decision,
    missing_evidence,
    extra_file,
    extra_in_the_ledger,
    another_id,
    not_canonical,
    another_day,
    swapped_bundle,
    changed_bundle,
    bundle_with_more,
    reused_number,
    another_projects_release,
    another_bundle,
    refused_release,
    release_of_another_kind,
    release_edited_later,
    removed_later,
    rewritten_history,
    cut_history,
    removed_look,
    changed_look,
    by_hand,
    by_hand_from_the_start,
    decision_of_another_environment,
    unquarantined_by_the_way,
    quarantined_again,
    rollback_that_keeps_nothing_out,
    expired_waiver,
    dated_back,
    another_tree,
    move_dated_back,
    move_from_elsewhere,
    rule_turned,
    gate_of_the_environment_left_out,
    gate_of_the_environment_turned,
    link_in_the_ledger,
)


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.__name__)
def test_every_tampering_is_found_where_it_is(root: Path, tampering: Callable[[Path], str]) -> None:
    expected = tampering(root)
    told = [f"{one.where}: {one.message}" for one in asked(root, everything=True).problems]
    assert any(expected in one for one in told), "\n".join([expected, "", *told])


def test_without_a_recorded_head_it_says_what_cannot_be_seen(root: Path) -> None:
    check = Ledger(root).folder("check").rpartition("/")[2]
    git(root, "reset", "--quiet", "--hard", git(root, "rev-list", "--max-parents=0", "main"))
    alone = asked(root, check)
    assert (alone.ok, alone.authenticity.authenticated) == (True, False)
    assert "forged" not in alone.authenticity.told.partition(":")[0]
    assert "a ledger that was forged as a whole" in alone.authenticity.told
    head = git(root, "rev-parse", BRANCH)
    known = asked(root, check, head=head)
    assert (known.authenticity.authenticated, known.problems) == (True, ())
    assert head[:12] in known.authenticity.told
    before = git(root, "rev-list", "--max-parents=0", BRANCH)
    partly = asked(root, everything=True, head=before)
    assert (partly.ok, partly.authenticity.authenticated) == (True, False)
    assert "no recorded head holds 8 of 9 decisions" in partly.authenticity.told
    for lost in ("ab" * 20, git(root, "rev-parse", "main")):
        assert "is not in its history: it was rewritten" in asked(root, check, head=lost).problems[0].message
    with pytest.raises(UsageError, match="names no commit"):
        asked(root, check, head="nowhere")


def test_a_head_that_another_clone_has_is_one(root: Path, tmp_path: Path) -> None:
    git(root, "reset", "--quiet", "--hard", git(root, "rev-list", "--max-parents=0", "main"))
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(root), str(other))
    git(other, "remote", "add", "colleague", str(root))
    git(other, "fetch", "--quiet", "colleague")
    found = asked(other, everything=True)
    assert (found.ok, found.authenticity.authenticated) == (True, True)
    assert "fetched from colleague" in found.authenticity.told
    Ledger(root).write({"more": b"1"})
    git(other, "fetch", "--quiet", "--force", "colleague")
    found = asked(other, everything=True)
    assert (found.ok, found.authenticity.authenticated) == (True, False)
    assert any("have each what the other lacks" in one.message for one in found.notes)


def test_a_fresh_clone_sees_the_same_without_the_store(root: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(root), str(clone))
    git(clone, "remote", "set-url", "origin", "https://unreachable.invalid/x.git")
    found, here = asked(clone, "production"), asked(root, "production")
    assert (found.problems, found.gates, found.authenticity) == (here.problems, here.gates, here.authenticity)
    assert [one.message.partition(" ")[2] for one in found.notes] == [
        f"bundle {_release(root, 'v1').bundle[:12]} is not in the store here"
    ]


def test_two_ledgers_that_were_merged_hold(root: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(root), str(clone))
    git(clone, "branch", "--quiet", BRANCH, f"origin/{BRANCH}")
    for number, at in ((7, root), (8, clone)):
        audited.checked(at, number)
    git(root, "fetch", "--quiet", str(clone), f"{BRANCH}:refs/heads/theirs")
    ledger.merge(Repository.open(root), git(root, "rev-parse", "theirs"))
    found = asked(root, everything=True)
    assert (found.problems, found.checked.decisions) == ((), 11)


def test_a_merge_that_drops_what_one_side_had_is_found(root: Path) -> None:
    gone = f"{Ledger(root).folder('rollback')}/report.md"
    tree = git(root, "rev-parse", f"{BRANCH}~1^{{tree}}")
    merged = git(root, "commit-tree", tree, "-p", BRANCH, "-p", f"{BRANCH}~1", "-m", "Merge two ledgers")
    git(root, "update-ref", f"refs/heads/{BRANCH}", merged)
    told = [one.message for one in asked(root, everything=True).problems if one.where == gone]
    assert told == [f"commit {merged[:12]} of the ledger removed it, and a ledger only adds"]


def test_a_head_vouches_for_no_decision_that_was_edited_after_it(root: Path) -> None:
    path = f"{Ledger(root).folder('check')}/decision.json"
    edited = Ledger(root).read(path).replace(b'"trust":"desk"', b'"trust":"default-branch"')
    assert asked(root, _id(path.removesuffix("/decision.json"))).authenticity.authenticated
    Ledger(root).write({path: edited}, forced=False)
    assert not asked(root, _id(path.removesuffix("/decision.json"))).authenticity.authenticated


def test_a_plain_revert_is_no_problem_and_is_told(root: Path) -> None:
    dev = "environments/dev.yaml"
    text = git(root, "show", f"{git(root, 'log', '-1', '--format=%H', 'main', '--', dev)}~1:{dev}")
    commit(root, {dev: text + "\n"}, "Revert")
    found = asked(root, "dev")
    assert found.ok
    assert [one.message for one in found.notes] == [
        "Ada Example went back by reverting: there is no decision of its own"
    ]


def test_the_command_says_it_in_words_and_in_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(root), "verify", "production", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"ok", "authenticated", "checked", "problems", "gates"} <= told.keys()
    assert (told["ok"], told["authenticated"], told["problems"]) == (True, True, [])
    assert [one["how"] for one in told["gates"]] == ["recomputed"] * 3 + ["recorded", "recomputed"]
    name = "decisions/2024/05/01/\x1b[2J::error::x"
    Ledger(root).write({name: b"1"}, forced=False)
    assert main(["-C", str(root), "verify", "--all"]) == 10
    shown = capsys.readouterr().out
    assert "is nothing that a ledger has" in shown
    assert "\x1b" not in shown
    assert shown.splitlines()[-1] == "one thing does not hold"
    assert main(["-C", str(root), "verify", "production", "--all"]) == 2
    git(root, "update-ref", "-d", f"refs/heads/{BRANCH}")
    assert main(["-C", str(root), "verify", "--json"]) == 2
