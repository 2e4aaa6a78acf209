"""init: look around → read the data → answer → plan the files → write what is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import load
from mlops_ci.data.classes import class_codes
from mlops_ci.errors import UsageError
from mlops_ci.records.tables import Kind
from mlops_ci.steps import findings as finding
from mlops_ci.steps import generated, github_files, lock, project_files, scaffold
from mlops_ci.steps.first_look import FirstLook, first_look
from mlops_ci.steps.generated import KEPT, Workflows
from mlops_ci.steps.progress import Clock, Progress
from mlops_ci.steps.projects import project_inputs, projects
from mlops_ci.steps.scaffold import Answers
from mlops_ci.steps.starting import start
from mlops_ci.steps.surroundings import (
    Surroundings,
    look_around,
    make_repository,
    open_repository,
    refuse_nested,
)

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.steps.findings import Findings
    from mlops_ci.steps.github_files import Beside

Ask = Callable[[str, str], str]
"""question, default -> answer; never called where there is no terminal."""


class InitOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `mlops-ci init` was asked; None: not said."""

    folder: Path
    data: str | None = None
    target: str | None = None
    id: tuple[str, ...] | None = None
    time: str | None = None
    task: str | None = None
    rung: str | None = None
    dry_run: bool = False


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What all projects of the repository share, at its root: the tool's lock where there is none, GitHub's files."""

    tool: dict[str, str]
    workflows: Workflows
    beside: Beside


class Initialised(msgspec.Struct, frozen=True, kw_only=True):
    """What init found and did, for people and as JSON."""

    project: str
    repository: str
    """made | there"""
    found: tuple[str, ...]
    written: tuple[str, ...]
    kept: tuple[str, ...]
    to_add: tuple[tuple[str, str], ...]
    """File -> lines to add to it by hand: it was there, or its owner is not known."""
    next: tuple[str, ...]
    dry_run: bool
    texts: dict[str, str]
    """What would be written, by path in the repository; only on a dry run."""


def init(options: InitOptions, ask: Ask | None, progress: Progress) -> Initialised:
    """Make a project whose first check runs at once. Never overwrites, runs no user code, commits nothing."""
    clock = Clock(progress)
    around = look_around(options.folder)
    refuse_nested(around)
    given = options.data or _ask_data(around, ask)
    with clock.step("data", f"reading {given}") as line:
        look = first_look(around.folder, given)
        line.found = f"{look.table.rows:,} rows, {len(look.table.columns)} columns"
    answers = _answers(options, around, look, ask)
    answers = _with_gates(clock, answers)
    texts = scaffold.project_files(answers)
    workflows = _workflows(around, texts["mlops.yaml"])
    beside = _beside(around, texts["mlops.yaml"])
    own, tool = _locks(clock, texts, around, dry_run=options.dry_run)
    shared = Shared(tool=tool, workflows=workflows, beside=beside)
    return _write(options, around, answers, texts | own, shared)


def _answers(options: InitOptions, around: Surroundings, look: FirstLook, ask: Ask | None) -> Answers:
    target = options.target or _ask_target(look, ask)
    scaffold.check_target(look, target)
    for name in (*(options.id or ()), *((options.time,) if options.time else ())):
        scaffold.check_target(look, name)
    found = finding.find(look.table, look.profile, target=target, task=options.task)
    found = msgspec.structs.replace(found, id=_row_id(options, found, ask), time=options.time or found.time)
    return Answers(
        project=scaffold.project_name(around.folder.name),
        target=target,
        rung=options.rung or "entrypoint",
        look=look,
        findings=found,
    )


def _with_gates(clock: Clock, answers: Answers) -> Answers:
    """The gates, from the split that the rest of the settings makes."""
    with clock.step("gates", "a quick baseline answers the held-out rows") as line:
        config = load.parse(scaffold.settings(answers), file="mlops.yaml")
        starting = start(answers.look.table, config, answers.findings)
        line.found = f"{len(starting.gates)} to start with"
    return msgspec.structs.replace(answers, gates=starting.gates, baseline=starting.said)


def _ask_data(around: Surroundings, ask: Ask | None) -> str:
    files = around.data_files
    if ask:
        return ask("Which file holds the data", files[0] if files else "")
    if len(files) == 1:
        return files[0]
    shown = f"Here are: {', '.join(files[:8])}. " if files else ""
    advice = "Name it, or a pattern for several ('data/*.csv'): mlops-ci init --data FILE --target COL"
    raise UsageError("which file holds the data is not said", shown + advice)


def _ask_target(look: FirstLook, ask: Ask | None) -> str:
    guess = finding.guess_target(look.table)
    if ask:
        return ask(f"Which column is to be predicted ({', '.join(look.table.names[:20])})", guess or "")
    perhaps = f" Is it {guess}?" if guess else ""
    advice = f"Name it with --target.{perhaps} The columns: {', '.join(look.table.names[:40])}."
    raise UsageError("which column is to be predicted is not said", advice)


def _row_id(options: InitOptions, found: Findings, ask: Ask | None) -> tuple[str, ...]:
    if options.id is not None or not ask:
        return options.id if options.id is not None else found.id
    said = ask("Which columns name a row, with commas (none: the whole row does)", ",".join(found.id) or "none")
    names = tuple(name.strip() for name in said.split(",") if name.strip())
    return () if names == ("none",) else names


def _workflows(around: Surroundings, settings: str) -> Workflows:
    """The workflows of all projects, with this one."""
    there = open_repository(around.folder)
    new = project_inputs(load.parse(settings, file="mlops.yaml"), folder=around.inside)
    others = projects(there) if there else ()
    root = around.root or around.folder
    return generated.compared(root, (*others, new), default_branch=around.branch, repository=there).without_conflicts()


def _beside(around: Surroundings, settings: str) -> Beside:
    contract = load.parse(settings, file="mlops.yaml").data.contract
    root = around.root or around.folder
    return github_files.plan(root, remote=around.remote, inside=around.inside, contract=contract)


def _locks(
    clock: Clock, texts: dict[str, str], around: Surroundings, *, dry_run: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """The project's lock, where it has none, and the tool's. Without a network there is none, and init goes on."""
    own: dict[str, str] = {}
    tool: dict[str, str] = {}
    requirements = project_files.read_text(around.folder / "requirements.in") or texts.get("requirements.in")
    there = {"requirements.lock", "uv.lock"} & set(around.files)
    if dry_run:
        return own, tool
    if requirements and not there:
        with clock.step("lock", "locking requirements.in") as line:
            text = lock.locked(requirements)
            line.found = "requirements.lock, with hashes" if text else "not made: is the package index reachable?"
        own |= {"requirements.lock": text} if text else {}
    if not ((around.root or around.folder) / lock.TOOL_LOCK).exists():
        tool[lock.TOOL_LOCK] = lock.tool_lock(lock.locked(lock.TOOL))
    return own, tool


def _write(
    options: InitOptions, around: Surroundings, answers: Answers, texts: dict[str, str], shared: Shared
) -> Initialised:
    if around.root is None and not options.dry_run:
        make_repository(around.folder)
    root, look = around.root or around.folder, answers.look
    if look.copy_from and not options.dry_run:
        project_files.copy_new(look.copy_from, around.folder / look.pattern)
    project = project_files.write_new(around.folder, texts, dry_run=options.dry_run)
    beside = shared.beside.texts
    others = project_files.write_new(root, shared.tool | beside, dry_run=options.dry_run)
    if not options.dry_run:
        generated.update(shared.workflows, root=root, repository=open_repository(root))
    ignored = scaffold.ignore_lines(project_files.read_text(around.folder / ".gitignore") or "")
    if ignored and not options.dry_run:
        project_files.append(around.folder / ".gitignore", ignored)
    inside = f"{around.inside}/" if around.inside else ""
    workflows = {each.path: each.text or "" for each in shared.workflows.files if each.is_written}
    written = (*(inside + path for path in project.written), *others.written, *workflows, generated.LOCK)
    return Initialised(
        project=answers.project,
        repository="there" if around.root else "made",
        found=tuple(_found(answers, around)),
        written=(*written, *((f"{inside}.gitignore",) if ignored else ())),
        kept=(
            *(inside + path for path in project.kept),
            *(each.path for each in shared.workflows.files if each.state in KEPT),
            *shared.beside.kept,
        ),
        to_add=(*_to_add(project.kept), *shared.beside.to_add),
        next=_next(answers, around, texts),
        dry_run=options.dry_run,
        texts={inside + path: texts[path] for path in project.written} | workflows | beside if options.dry_run else {},
    )


def _found(answers: Answers, around: Surroundings) -> list[str]:
    """What was seen, each with the line of mlops.yaml it became or could become."""
    found, look = answers.findings, answers.look
    said = [f"{look.pattern}: {look.table.rows:,} rows -> sources: {{{look.source}: {look.pattern}}}"]
    if look.copy_from:
        said.append(f"{look.copy_from} is outside the project -> copied to {look.pattern}")
    said.append(f"{answers.target} has {_values(answers):,} different values{_positive(answers)} -> task: {found.task}")
    if found.missing_target:
        said.append(f"{found.missing_target:,} rows have no {answers.target} -> missing_target: drop")
    said.append(_id_line(found))
    if found.time:
        said.append(f"{found.time} says when -> time: {found.time}; to hold out the last rows: split: {{by: time}}")
    if found.group:
        said.append(f"values of {found.group} repeat -> if they belong together: group: [{found.group}]")
    said += [
        f"{column} is filled only where {answers.target} is {value}: known too late? -> leave it out in data.prepare"
        for column, value in found.one_class
    ]
    said.append(answers.baseline)
    scripts = [name for name in around.files if name.rsplit("/", 1)[-1] in ("train.py", "training.py")]
    said += [
        f"{name} is there -> to train with it: train: {{command: python {name}, output: FILE}}"
        for name in scripts
        if name != "pipeline/train.py" and answers.rung != "command"
    ]
    texts = [column for column in look.table.columns if column.kind is Kind.TEXT and 2 <= len(column.categories) <= 20]
    apart = {answers.target, *(column for column, _ in found.one_class)}
    names = [column.name for column in texts if column.name not in apart][:3]
    have = "has" if len(names) == 1 else "have"
    return said + ([f"{', '.join(names)} {have} few values -> slices: [{', '.join(names)}]"] if names else [])


def _values(answers: Answers) -> int:
    return next(column.distinct for column in answers.look.profile.columns if column.name == answers.target)


def _positive(answers: Answers) -> str:
    """Which class recall and precision will be about, of two."""
    if len(answers.findings.counts) != 2:
        return ""
    return f", {class_codes(answers.look.table.column(answers.target))[1][1]} is the positive class"


def _id_line(found: Findings) -> str:
    if found.id:
        return f"{', '.join(found.id)} {'name' if len(found.id) > 1 else 'names'} a row -> id"
    if found.own_time:
        return f"only {found.own_time} names a row -> id: [{found.own_time}], if the model may do without it"
    return "no column names a row -> no id: line"


def _to_add(kept: tuple[str, ...]) -> list[tuple[str, str]]:
    lines = {
        "pipeline/train.py": "def train(frame, params, seed): ...  # returns a fitted model",
        "requirements.in": scaffold.REQUIREMENTS.strip(),
    }
    return [(path, lines[path]) for path in kept if path in lines]


def _next(answers: Answers, around: Surroundings, texts: dict[str, str]) -> tuple[str, ...]:
    has_lock = "requirements.lock" in texts or {"requirements.lock", "uv.lock"} & set(around.files)
    names = "requirements.txt" if "requirements.txt" in around.files else "requirements.in"
    lock_line = f"uv pip compile --universal --generate-hashes {names} -o requirements.lock # CI installs it"
    missing = () if has_lock or answers.rung == "predictions" else (lock_line,)
    there = "train.py" in around.files
    command = (
        f"{'see that' if there else 'write train.py:'} `python train.py` writes model.pkl, or mend train: in mlops.yaml"
    )
    bring = {"command": command, "model": "bring model.pkl", "predictions": "bring predictions.csv"}
    own = (bring[answers.rung],) if answers.rung in bring else ()
    return (*missing, *own, "git add --all && git commit --message 'Judge the model with mlops-ci'", "mlops-ci check")
