"""The ledger: append a decision to the branch of decisions, list them, find one again."""

from __future__ import annotations

import hashlib
import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from mlops_ci.edge import branches, remote
from mlops_ci.errors import OutsideError, UsageError
from mlops_ci.ledger import arrays as npy
from mlops_ci.ledger import entries, holdouts, names
from mlops_ci.ledger.history import HistoryRow, parse_row
from mlops_ci.ledger.page import ROWS, page
from mlops_ci.ledger.statements import LARGEST, parse_statement
from mlops_ci.records.decisions import Decision, DecisionKind, Evidence, RunInfo, Trust
from mlops_ci.records.outcomes import Outcome
from mlops_ci.steps.looks import still_as_judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.edge.git import Repository
    from mlops_ci.ledger.entries import Entry
    from mlops_ci.records.evaluation import Holdout

_Record = TypeVar("_Record", RunInfo, Evidence)
LARGEST_FILE = 256 * 1024 * 1024
_SHORTEST_PREFIX = 4
_CANDIDATES = 10
_CHUNK = 200
_BRANCHES = (Trust.FORK, Trust.PULL_REQUEST)
"""Where what a model answers is the word of a branch: after a merge its commit lies on the default branch too."""
_HAVE_A_MODEL = (DecisionKind.CHECK, DecisionKind.IMPORT)
_HERE = "Run it in a clone that has the branch, or fetch it: git fetch origin mlops-reports"


class StoredDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision as it lies in the ledger; `arrays` and `holdout` load what belongs to its rows."""

    id: str
    head: str
    """The commit of the branch it was read from."""
    path: str
    decision: Decision
    run: RunInfo | None
    evidence: Evidence
    report_markdown: str
    charts: dict[str, str]


class NumberTakenError(OutsideError):
    """Somebody else made a release of that number."""


class Appended(NamedTuple):
    """A decision that was recorded: the commit of the branch that holds it; not `changed`: it was there already."""

    id: str
    commit: str
    changed: bool


class _Place(NamedTuple):
    """Where a decision.json lies; `step` counts the commits of the branch back from its head."""

    step: int
    blob: str
    path: str


def head(repository: Repository) -> str | None:
    """The head of the ledger: of the branch here, else as it was last fetched, else None."""
    return branches.head_of(repository, names.BRANCH)


def fetch(repository: Repository) -> bool:
    """Fetch the remote's ledger beside the one here; False when the remote has none."""
    return remote.fetch(repository, f"+refs/heads/{names.BRANCH}:refs/remotes/origin/{names.BRANCH}")


def record(repository: Repository, entry: Entry) -> str:
    """Append a decision and give its id; see `append`."""
    return append(repository, entry).id


def append(repository: Repository, entry: Entry) -> Appended:
    """Append a decision. The same decision again changes nothing, whenever and wherever it ran.

    OutsideError under a guarantee when somebody looked at the same rows since it was judged: only one takes a look.
    """
    files = entries.files(entry)
    folder = entries.folder_of(entry)
    new = parse_row(f"{folder}/decision.json", files[f"{folder}/decision.json"])

    def derive(heads: tuple[str, ...]) -> Mapping[str, bytes]:
        if heads:
            still_as_judged(repository, heads[0], entry)
        return _pages(repository, heads, new)

    written = branches.write_branch(
        repository,
        names.BRANCH,
        files,
        message=f"{new.outcome}: {new.project} {new.commit[:7]} ({new.kind})\n\n{new.verdict}\n",
        create_only=frozenset(files),
        derive=derive,
    )
    if taken := next((path for path in written.collisions if names.release_number(path)), ""):
        raise NumberTakenError(f"{taken} is there already", "Run it again: the next number is taken then.")
    damaged = [path for path in written.collisions if not _is_volatile(path, folder)]
    if damaged:
        advice = f"Somebody edited the branch {names.BRANCH}: restore that file from its history."
        raise OutsideError(f"the ledger holds {damaged[0]} with other content", advice, where=str(repository.root))
    return Appended(new.id, written.commit, written.changed)


def withdraw(repository: Repository, appended: Appended) -> bool:
    """Take back what was recorded last and is nowhere else yet; False where somebody went on from it."""
    if not appended.changed:
        return False
    before = next(iter(repository.parents(appended.commit)), None)
    return branches.move_back(repository, names.BRANCH, appended.commit, before)


def merge(repository: Repository, other: str) -> str:
    """Bring another ledger (a commit, for example what was fetched) into the one here; its new head."""
    return branches.merge_branches(
        repository,
        names.BRANCH,
        other,
        message="Merge two ledgers\n",
        derive=lambda heads: _pages(repository, heads, None),
    ).commit


def history(repository: Repository, *, project: str | None = None, limit: int | None = None) -> tuple[HistoryRow, ...]:
    """Decisions, the last recorded first; those of one commit of the branch by the time of their commit, then id."""
    at = head(repository)
    return _rows(repository, at, project=project, limit=limit) if at else ()


def find(repository: Repository, prefix: str = "") -> StoredDecision:
    """The decision whose id or commit begins with `prefix`, the newest for ""; UsageError when none or several do."""
    at = head(repository)
    if at is None:
        raise UsageError("nothing has been decided here yet", f"Run `mlops-ci check` first. {_HERE}")
    if prefix and not re.fullmatch(rf"[0-9a-f]{{{_SHORTEST_PREFIX},64}}", prefix):
        advice = f"Give at least {_SHORTEST_PREFIX} of its first hex digits, as `mlops-ci history` shows them."
        raise UsageError(f"{prefix!r} is not the beginning of a decision's id or of a commit", advice)
    found = [row for row in _rows(repository, at, limit=None if prefix else 1) if _begins(row, prefix)]
    if not found:
        raise UsageError(f"no decision begins with {prefix!r}", f"`mlops-ci history` lists them. {_HERE}")
    if prefix and len(found) > 1:
        lines = [f"  {row.id[:12]}  {row.outcome:9}  {row.commit[:7]} {row.title}" for row in found[:_CANDIDATES]]
        raise UsageError(f"{prefix!r} fits {len(found)} decisions", "\n".join(["Give more digits of one:", *lines]))
    return _load(repository, at, found[0])


def by_id(repository: Repository, decision: str) -> StoredDecision | None:
    """The decision of that id, all 64 digits, found by its path; None where the ledger lacks it."""
    at = head(repository)
    folder = _folder_of(repository, at, decision) if at else None
    if at is None or folder is None:
        return None
    data = branches.read_files(repository, at, [f"{folder}/decision.json"], limit=LARGEST)
    return _load(repository, at, parse_row(f"{folder}/decision.json", data[f"{folder}/decision.json"]))


def _folder_of(repository: Repository, at: str, decision: str) -> str | None:
    """Where it lies: by the day of its commit, which the id does not tell."""
    out = repository.run("ls-tree", "-r", "-d", "-z", "--name-only", "--full-tree", at, "--", names.DECISIONS)
    ending = f"/{decision}".encode()
    return next((path.decode() for path in out.split(b"\0") if path.endswith(ending)), None)


def arrays(repository: Repository, stored: StoredDecision) -> dict[str, NDArray[np.generic]]:
    """The outputs by row that were recorded, by name; {} when the rows were not."""
    wanted = {name: f"{stored.path}/evidence/{name}" for name in stored.decision.evidence if name.endswith(".npy")}
    content = _read_pinned(repository, stored, wanted)
    return {name.removesuffix(".npy"): npy.decode(data, name=name) for name, data in content.items()}


def holdout(repository: Repository, stored: StoredDecision) -> Holdout | None:
    """The holdout the decision was made on, None when its rows were not recorded."""
    paths = [name for name in stored.decision.evidence if name.startswith(f"{names.HOLDOUTS}/")]
    if not paths:
        return None
    index = holdouts.parse_index(_read_pinned(repository, stored, {paths[0]: paths[0]})[paths[0]], path=paths[0])
    folder = names.holdout_folder(index.digest)
    content = branches.read_files(
        repository, stored.head, {f"{folder}/{array.file}" for array in index.arrays}, limit=LARGEST_FILE
    )
    return holdouts.parse(index, {path.removeprefix(f"{folder}/"): data for path, data in content.items()})


def last_passed(repository: Repository, project: str, at_or_before: str) -> StoredDecision | None:
    """The passed check of the newest commit that is `at_or_before` or comes before it; of several the last recorded.

    Made at a desk or on the default branch. A model that was imported counts as one that passed.
    """
    at = head(repository)
    if at is None:
        return None
    passed: dict[str, HistoryRow] = {}
    for row in _rows(repository, at, project=project):
        if row.kind in _HAVE_A_MODEL and row.outcome == Outcome.PASSED and row.trust not in _BRANCHES:
            passed.setdefault(row.commit, row)
    if not passed:
        return None
    with repository.ancestors(at_or_before) as commits:
        newest = next((commit for commit in commits if commit in passed), None)
    return _load(repository, at, passed[newest]) if newest else None


def _rows(
    repository: Repository, at: str, *, project: str | None = None, limit: int | None = None
) -> tuple[HistoryRow, ...]:
    places = _places(repository, at, None if project else limit)
    found: list[tuple[tuple[int, str, str], HistoryRow]] = []
    remaining = iter(places)
    while chunk := list(islice(remaining, _CHUNK)):
        contents = branches.read_blobs(repository, {place.path: place.blob for place in chunk}, limit=LARGEST)
        for place, data in zip(chunk, contents, strict=True):
            row = parse_row(place.path, data)
            if project in (None, row.project):
                found.append(((-place.step, row.time, row.id), row))
        if limit is not None and len(found) >= limit and _ends_a_step(chunk, places):
            break
    return tuple(row for _, row in sorted(found, key=lambda pair: pair[0], reverse=True))[:limit]


def _ends_a_step(chunk: list[_Place], places: list[_Place]) -> bool:
    """Whether what follows was recorded earlier: only then can it not belong among the newest."""
    return chunk[-1] is places[-1] or places[places.index(chunk[-1]) + 1].step != chunk[-1].step


def _places(repository: Repository, at: str, limit: int | None) -> list[_Place]:
    """The decisions of a ledger in the order they were appended, newest first, from one process."""
    newest = [] if limit is None else [f"--max-count={limit}"]
    # Without a path to look for git compares each pair of trees once; with one, twice.
    out = repository.run(
        *("log", "--format=tformat:commit", "--raw", "-r", "-z", "--no-abbrev", "--no-renames", "--no-merges"),
        *("--date-order", *newest, at, "--"),
    )
    step, places, seen = 0, [], set()
    fields = iter(out.split(b"\0"))
    for field in fields:
        if field == b"commit":
            step += 1
        elif field:
            path, (*_, blob, status) = next(fields), field.split()
            if path.endswith(b"/decision.json") and path not in seen:
                seen.add(path)
                name = path.decode("utf-8", "surrogateescape")
                if status != b"D" and names.decision_id(name):
                    places.append(_Place(step, blob.decode(), name))
    removed_some = limit is not None and len(places) < limit == step
    return _places(repository, at, None) if removed_some else places


def _pages(repository: Repository, heads: tuple[str, ...], new: HistoryRow | None) -> Mapping[str, bytes]:
    """The page of a branch that continues `heads`, with `new` on top."""
    rows = {new.id: new} if new else {}
    found = [row for at in heads for row in _rows(repository, at, limit=ROWS)]
    if len(heads) > 1:
        found.sort(key=lambda row: (row.time, row.id), reverse=True)
    for row in found:
        rows.setdefault(row.id, row)
    return {names.PAGE: page(tuple(rows.values())).encode()}


def _load(repository: Repository, at: str, row: HistoryRow) -> StoredDecision:
    listed = branches.list_files(repository, at, row.path)
    texts = {entry.path: entry.blob for entry in listed if not entry.path.endswith(".npy")}
    contents = branches.read_blobs(repository, texts, limit=LARGEST_FILE)
    content = {path.removeprefix(f"{row.path}/"): data for path, data in zip(texts, contents, strict=True)}
    _require(row, "decision.json", content.get("decision.json"), row.id)
    decision = parse_statement(content["decision.json"], name=f"{row.path}/decision.json")
    evidence = f"evidence/{entries.EVIDENCE}"
    _require(row, evidence, content.get(evidence), decision.evidence.get(entries.EVIDENCE, ""))
    return StoredDecision(
        id=row.id,
        head=at,
        path=row.path,
        decision=decision,
        run=_decoded(content["run.json"], RunInfo, row) if "run.json" in content else None,
        evidence=_decoded(content[evidence], Evidence, row),
        report_markdown=content.get("report.md", b"").decode("utf-8", "replace"),
        charts={
            name.removesuffix(".svg"): data.decode("utf-8", "replace")
            for name, data in sorted(content.items())
            if name.endswith(".svg")
        },
    )


def _read_pinned(repository: Repository, stored: StoredDecision, wanted: Mapping[str, str]) -> dict[str, bytes]:
    """Files of the evidence, name -> path, whose sha256 the decision names."""
    content = branches.read_files(repository, stored.head, wanted.values(), limit=LARGEST_FILE)
    for name, path in wanted.items():
        _require(stored, path, content.get(path), stored.decision.evidence[name])
    return {name: content[path] for name, path in wanted.items()}


def _require(row: HistoryRow | StoredDecision, name: str, data: bytes | None, sha256: str) -> None:
    if data is None or hashlib.sha256(data).hexdigest() != sha256:
        what = "is missing" if data is None else "was changed after it was recorded"
        raise OutsideError(
            f"{name} of decision {row.id[:12]} {what}",
            f"Look at `git log -p {names.BRANCH} -- {row.path}`; `mlops-ci verify` checks the others.",
        )


def _decoded(data: bytes, kind: type[_Record], row: HistoryRow) -> _Record:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OutsideError(f"decision {row.id[:12]} holds something unreadable: {error}", "A newer version?") from error


def _begins(row: HistoryRow, prefix: str) -> bool:
    return row.id.startswith(prefix) or row.commit.startswith(prefix)


def _is_volatile(path: str, folder: str) -> bool:
    """What may differ when the same decision is recorded again: run, report and charts, but no evidence."""
    return path.startswith(f"{folder}/") and not path.endswith(("/decision.json", ".npy", f"/{entries.EVIDENCE}"))
