"""Generated workflows stay current by a three-way merge: real git merges, real commands."""

from __future__ import annotations

import contextlib
import io
import json
import re
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci import __version__
from mlops_ci.cli import main
from mlops_ci.edge.merge import Labels, merge
from mlops_ci.errors import OutsideError
from mlops_ci.workflows import lock
from mlops_ci.workflows.compare import Generated, Recipe, State, compare
from mlops_ci.workflows.generate import Inputs, ProjectInputs, generate
from mlops_ci.workflows.lock import GeneratedLock, Recorded, digest
from mlops_ci.workflows.pins import without_pins
from tests.helpers import commit, git, repo
from tests.wheels import ROOT, wheel

CHECK, RECORD = ".github/workflows/mlops-check.yml", ".github/workflows/mlops-record.yml"
RELEASE, UPGRADE = ".github/workflows/mlops-release.yml", ".github/workflows/mlops-upgrade.yml"
LOCK, TOOL_LOCK = ".mlops-ci/generated.lock", ".mlops-ci/tool.lock"
MLOPS = """version: 1
project: churn
task: classification
data: {sources: {rows: rows.csv}, target: y}
train: {predictions: predictions.csv}
gates: [accuracy >= 0.5]
"""
LABELS = Labels("yours", "before", "now")
RECIPE = Recipe(made_by="0.2.0", settings={}, merge=partial(merge, labels=LABELS))
PIN = re.compile(r"(actions/checkout)@[0-9a-f]{40} # v[0-9.]+")
BUMPED = rf"\1@{'d' * 40} # v99.1.0"


def run(folder: Path, *words: str, code: int = 0) -> str:
    """What the command says, on both streams."""
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        done = main(["-C", str(folder), *words])
    text = said.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert done == code, text
    return str(text)


def states(folder: Path, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    found = json.loads(run(folder, "workflows", "--json", *words, code=code))
    assert found["in_step"] == (code == 0)
    return {Path(each["path"]).stem: each for each in found["files"]}


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_bytes().decode()
    assert text.count(before) >= 1
    path.write_bytes(text.replace(before, after, 1).encode())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose workflows are committed as they were generated."""
    folder = repo(tmp_path / "churn", {"mlops.yaml": MLOPS, TOOL_LOCK: f"mlops-ci==0.1.0 --hash=sha256:{'0' * 64}\n"})
    run(folder, "workflows", "--update")
    commit(folder, {}, "generated")
    return folder


BASE = [f"line {at}" for at in range(60)]
changes = st.dictionaries(
    st.integers(0, 9), st.lists(st.text(st.sampled_from("abc "), max_size=6), max_size=3), max_size=6
)


def changed(by_block: dict[int, list[str]]) -> str:
    """Ten blocks of six lines; of those named the third line is replaced, by nothing where the list is empty."""
    lines = [by_block.get(at // 6, [old]) if at % 6 == 2 else [old] for at, old in enumerate(BASE)]
    return "".join(f"{line}\n" for block in lines for line in block)


def look(mine: str | None, made: str, record: Recorded | str | None) -> Generated:
    return compare("w.yml", mine=mine, made=made, record=record, recipe=RECIPE)


def assert_settled(one: Generated, made: str) -> None:
    """An update changes nothing that an update has just written."""
    again = look(one.text, made, one.record)
    assert (again.state, again.is_written, again.record) == (State.CURRENT, False, one.record)


@given(ours=changes, theirs=changes)
@settings(max_examples=100)
def test_edits_where_the_new_text_is_the_old_one_always_survive(
    ours: dict[int, list[str]], theirs: dict[int, list[str]]
) -> None:
    ours = {at: [f"mine {line}" for line in lines] for at, lines in ours.items()}
    theirs = {at: [f"new {line}" for line in lines] for at, lines in theirs.items() if at not in ours}
    one = look(changed(ours), changed(theirs), RECIPE.record(changed({})))
    assert (one.text, one.lines) == (changed(ours | theirs), ())
    assert_settled(one, changed(theirs))


@given(ours=changes, theirs=changes)
@settings(max_examples=50)
def test_whatever_conflicts_no_line_of_either_side_is_lost(
    ours: dict[int, list[str]], theirs: dict[int, list[str]]
) -> None:
    ours = {at: [f"mine {line}" for line in lines] for at, lines in ours.items()}
    theirs = {at: [f"new {line}" for line in lines] for at, lines in theirs.items()}
    mine, made = changed(ours), changed(theirs)
    one = look(mine, made, RECIPE.record(changed({})))
    text = (one.text or "").split("\n")
    assert {line for line in mine.split("\n") if line.startswith("mine")} <= set(text)
    assert {line for line in made.split("\n") if line.startswith("new")} <= set(text)
    conflicts = {at for at in ours.keys() & theirs.keys() if ours[at] != theirs[at]}
    assert len(one.lines) == len(conflicts)
    assert all(text[at - 1] == "<<<<<<< yours" for at in one.lines)


def generated(timeout: int, labels: tuple[str, ...], secrets: tuple[str, ...], branch: str) -> dict[str, str]:
    project = ProjectInputs(name="p", folder="", labels=labels, timeout=timeout, secrets=secrets)
    return generate(Inputs(version=f"0.{timeout}", default_branch=branch, projects=(project,)))


made_from = st.tuples(
    st.sampled_from([60, 3600, 7200]),
    st.sampled_from([("ubuntu-24.04",), ("self", "gpu")]),
    st.sampled_from([(), ("A",), ("A", "B")]),
    st.sampled_from(["main", "trunk"]),
)


@given(
    before=made_from,
    now=made_from,
    at=st.lists(st.integers(0, 400), min_size=1, max_size=4),
    path=st.sampled_from([CHECK, RECORD]),
    form=st.sampled_from(["", "CRLF", "BOM", "BARE"]),
    bumped=st.booleans(),
)
@settings(max_examples=100)
def test_edits_of_real_workflows_survive_every_change_of_the_settings(
    before: Any, now: Any, at: list[int], path: str, form: str, bumped: bool
) -> None:
    base, made = generated(*before)[path], generated(*now)[path]
    lines = base.split("\n")
    matcher = SequenceMatcher(None, lines, made.split("\n"), autojunk=False)
    touched = {n for tag, i, j, _, _ in matcher.get_opcodes() if tag != "equal" for n in range(i - 2, j + 3)}
    free = [n for n in range(len(lines) - 1) if n not in touched]
    places = {free[n % len(free)] for n in at}
    mine = "\n".join(part for n, line in enumerate(lines) for part in ([f"# mine {n}"] * (n in places) + [line]))
    mine = PIN.sub(BUMPED, mine) if bumped else mine
    mine = {"CRLF": mine.replace("\n", "\r\n"), "BOM": f"\ufeff{mine}", "BARE": mine.rstrip("\n")}.get(form, mine)

    one = look(mine, made, RECIPE.record(base))
    assert one.lines == ()
    assert one.text is not None
    end = "\r\n" if form == "CRLF" else "\n"
    kept = one.text.removeprefix("\ufeff").split(end)
    assert {line for line in kept if line.startswith("# mine")} == {f"# mine {n}" for n in places}
    assert one.text.startswith("\ufeff") == (form == "BOM")
    assert one.text.endswith("\n") == (form != "BARE")
    plain = [line for line in kept if not line.startswith("# mine")]
    wanted = (PIN.sub(BUMPED, made) if bumped else made).split("\n")
    assert plain[1:] == (wanted[1:-1] if form == "BARE" else wanted[1:])
    assert_settled(one, made)


def test_a_binary_file_is_said_to_be_none_that_can_be_merged() -> None:
    with pytest.raises(OutsideError, match="merge-file"):
        merge("a\0b\n", "a\n", "c\n", LABELS)


def test_it_says_what_is_out_of_step_and_why(project: Path) -> None:
    assert {each["state"] for each in states(project, "--check").values()} == {"current"}
    edit(project / RECORD, "permissions: {}\n", "permissions: {}\n# mine\n")
    edit(project / "mlops.yaml", "gates:", "runner: {timeout: 10m}\ngates:")
    found = states(project, "--check", code=10)
    assert found["mlops-check"]["state"] == "outdated"
    assert found["mlops-check"]["causes"] == [{"kind": "settings", "detail": "minutes 255 -> 55"}]
    assert (found["mlops-record"]["state"], found["mlops-record"]["causes"][0]["kind"]) == ("edited", "person")
    (project / CHECK).unlink()
    shown = run(project, "workflows", "--check", code=10)
    assert "mlops-check.yml: not there" in shown
    assert "mlops-record.yml: edited by a person" in shown
    run(project, "workflows", "--update")
    assert "timeout-minutes: 55" in (project / CHECK).read_text()
    assert "# mine\n" in (project / RECORD).read_text()
    assert "in step, with edits of a person" in run(project, "workflows", "--check")


def test_a_conflict_is_marked_where_git_can_bring_the_file_back(project: Path) -> None:
    edit(project / CHECK, "timeout-minutes: 255", "timeout-minutes: 99")
    edit(project / "mlops.yaml", "gates:", "runner: {timeout: 10m}\ngates:")
    mine = (project / CHECK).read_bytes()
    assert states(project, "--check", code=10)["mlops-check"]["state"] == "conflict"
    assert "not committed" in run(project, "workflows", "--update", code=2)
    assert (project / CHECK).read_bytes() == mine
    commit(project, {}, "edit")

    found = states(project, "--update", code=10)["mlops-check"]
    lines = (project / CHECK).read_text().splitlines()
    [at] = found["lines"]
    assert lines[at - 1] == "<<<<<<< yours"
    assert lines[at] == "    timeout-minutes: 99"
    assert lines[at + 1].startswith("||||||| generated before, by mlops-ci ")
    assert lines[at + 4] == "    timeout-minutes: 55"
    marked = (project / CHECK).read_bytes()
    commit(project, {}, "marks and all")
    assert f"{CHECK}:{at}: a conflict is marked here" in run(project, "workflows", "--check", code=10)
    assert f"{CHECK}:{at}: a conflict is marked here" in run(project, "workflows", "--update", code=10)
    assert (project / CHECK).read_bytes() == marked

    resolved = "\n".join([*lines[: at - 1], "    timeout-minutes: 100", *lines[at + 6 :]]) + "\n"
    (project / CHECK).write_text(resolved)
    assert states(project, "--check", code=10)["mlops-check"]["state"] == "edited"
    run(project, "workflows", "--update")
    assert (project / CHECK).read_text() == resolved
    run(project, "workflows", "--check")


def test_what_a_commit_deleted_stays_deleted_and_what_is_only_gone_comes_back(project: Path) -> None:
    (project / RECORD).unlink()
    assert states(project, "--check", code=10)["mlops-record"]["state"] == "missing"
    run(project, "workflows", "--update")
    assert (project / RECORD).is_file()
    git(project, "rm", "--quiet", RECORD)
    git(project, "commit", "--quiet", "--message", "no records")
    edit(project / "mlops.yaml", "gates:", "runner: {timeout: 10m}\ngates:")
    run(project, "workflows", "--update")
    assert not (project / RECORD).exists()
    assert states(project, "--check")["mlops-record"]["state"] == "deleted"
    assert "deleted by a commit" in run(project, "doctor", code=10)
    git(project, "checkout", "HEAD~", "--", RECORD)
    assert states(project, "--check")["mlops-record"]["state"] == "current"


def test_without_the_lock_an_edited_file_is_left_and_the_way_out_is_told(project: Path) -> None:
    edit(project / CHECK, "timeout-minutes: 255", "timeout-minutes: 99")
    mine = (project / CHECK).read_text()
    (project / LOCK).unlink()
    found = states(project, "--update", code=10)
    assert (found["mlops-check"]["state"], found["mlops-record"]["state"]) == ("unknown", "outdated")
    assert (project / CHECK).read_text() == mine
    shown = run(project, "workflows", "--update", code=10)
    assert "+    timeout-minutes: 255" in shown
    (project / CHECK).unlink()
    run(project, "workflows", "--update")
    (project / CHECK).write_text(mine)
    run(project, "workflows", "--update")
    run(project, "workflows", "--check")
    assert (project / CHECK).read_text() == mine


def test_a_link_is_not_written_through(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yml"
    outside.write_text("name: other\n")
    for target in (outside, tmp_path / "nowhere.yml"):
        (project / CHECK).unlink()
        (project / CHECK).symlink_to(target)
        assert states(project, "--update", code=10)["mlops-check"]["state"] == "unknown"
        assert (project / CHECK).is_symlink()
    assert outside.read_text() == "name: other\n"


def test_windows_line_ends_a_mark_and_no_newline_at_the_end_stay(project: Path) -> None:
    path = project / CHECK
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n"))
    run(project, "workflows", "--check")
    edit(project / "mlops.yaml", "gates:", "runner: {timeout: 10m}\ngates:")
    run(project, "workflows", "--update")
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf# Generated by")
    assert data.count(b"\r\n") == data.count(b"\n")
    assert not data.endswith(b"\n")
    assert b"timeout-minutes: 55\r\n" in data


@pytest.mark.parametrize("first_format", [False, True])
def test_an_edit_under_the_previous_templates_survives_and_a_bump_on_top_is_no_drift(
    project: Path, first_format: bool
) -> None:
    texts = {path: (ROOT / "tests/data/workflows_before" / Path(path).name).read_text() for path in (CHECK, RECORD)}
    digests = {path: digest(without_pins(text)) for path, text in texts.items()}
    recipe = msgspec.structs.replace(RECIPE, made_by="0.0.9")
    before = GeneratedLock(default_branch="main", files={path: recipe.record(text) for path, text in texts.items()})
    old = json.dumps({"default_branch": "main", "files": digests}) if first_format else lock.written(before)
    commit(project, {**texts, LOCK: old, RELEASE: None, UPGRADE: None}, "generated by the previous version")
    now = generate_now(project)
    if not first_format:
        edit(project / CHECK, '    branches: ["main"]\n', '    branches: ["main"]\n    paths-ignore: [docs/**]\n')
        edit(project / RECORD, "name: mlops record\n", "name: mlops record\nrun-name: mine\n")
        commit(project, {}, "edits")
    found = states(project, "--check", code=10)
    for name in ("mlops-release", "mlops-upgrade"):
        assert found.pop(name)["state"] == "missing", "the previous version had none"
    assert {each["state"] for each in found.values()} == {"outdated"}
    assert all("tool" in [cause["kind"] for cause in each["causes"]] for each in found.values())

    run(project, "workflows", "--update")
    check, record = (project / CHECK).read_text(), (project / RECORD).read_text()
    if not first_format:
        assert '    branches: ["main"]\n    paths-ignore: [docs/**]\n' in check
        assert "name: mlops record\nrun-name: mine\n" in record
    plain = {
        CHECK: check.replace("    paths-ignore: [docs/**]\n", ""),
        RECORD: record.replace("run-name: mine\n", ""),
    }
    assert plain == now
    run(project, "workflows", "--check")

    (project / CHECK).write_text(PIN.sub(BUMPED, check))
    assert states(project, "--check")["mlops-check"]["state"] == "current"
    run(project, "workflows", "--update")
    assert (project / CHECK).read_text() == PIN.sub(BUMPED, check)


def generate_now(project: Path) -> dict[str, str]:
    """What a project that has no workflows gets, now."""
    other = repo(project.parent / "other", {"mlops.yaml": (project / "mlops.yaml").read_text()})
    run(other, "workflows", "--update")
    return {path: (other / path).read_text() for path in (CHECK, RECORD)}


@pytest.mark.needs("registry")
def test_an_update_locks_the_tool_where_nothing_says_yet_what_ci_installs(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project, "rm", "--quiet", TOOL_LOCK)
    told = run(project, "workflows", "--update")
    assert f"{TOOL_LOCK}: written, without hashes" in told, "no index has the version of this checkout"
    wheel(tmp_path / "dist")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "dist"))
    assert f"{TOOL_LOCK}: written\n" in run(project, "workflows", "--update")
    text = (project / TOOL_LOCK).read_text()
    assert f"\nmlops-ci=={__version__} \\\n    --hash=sha256:" in text
    assert text.count("--hash=") > 20
    assert TOOL_LOCK not in run(project, "workflows", "--update")
    mine = f"mlops-ci==0.0.1 --hash=sha256:{'1' * 64}\n"
    (project / TOOL_LOCK).write_text(mine)
    run(project, "workflows", "--update")
    assert (project / TOOL_LOCK).read_text() == mine, "what is locked is a matter of `upgrade`"
