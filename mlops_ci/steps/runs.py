"""A decision read back: from the folder of a run, or from the ledger."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from mlops_ci.errors import UsageError
from mlops_ci.ledger import arrays as npy
from mlops_ci.ledger import entries, holdouts
from mlops_ci.ledger.entries import Entry
from mlops_ci.ledger.looks import parse_ids
from mlops_ci.ledger.names import holdout_folder, plain
from mlops_ci.ledger.statements import parse_statement
from mlops_ci.records.decisions import Decision, Evidence, Look, RunInfo
from mlops_ci.records.evaluation import Holdout
from mlops_ci.reports.story import Story
from mlops_ci.steps import ledger
from mlops_ci.steps.kept_rows import rows_of
from mlops_ci.steps.looks import read_ids
from mlops_ci.steps.project import Project
from mlops_ci.steps.write import earlier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_ci.edge.git import Repository
    from mlops_ci.steps.ledger import StoredDecision

_Record = TypeVar("_Record", Evidence, RunInfo)
_LOOKED_AT = 8
_LARGEST_TEXT = 16 * 1024 * 1024
_NAME = re.compile(r"(holdouts/[0-9a-f]{64}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,149}")
_NOT_OURS = "It was not written by mlops-ci."


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with what is kept of it, wherever it lies."""

    id: str
    decision: Decision
    evidence: Evidence
    run: RunInfo | None
    arrays: dict[str, NDArray[np.generic]]
    holdout: Holdout | None
    ids: NDArray[np.uint64] | None = None
    """Of the rows that were looked at, shape (rows,), whether the rows are kept or not."""
    shown: NDArray[np.uint64] | None = None
    """Of the rows whose numbers are shown, where those are others."""
    no_rows: str = ""
    """Why rows that were kept are not to be had."""


def newest_run(project: Project) -> Path | None:
    """The folder of the run made last at this desk."""
    return next(iter(_runs(project)), None)


def _runs(project: Project) -> list[Path]:
    """Newest first."""
    folders = [path.parent for path in (project.state / "runs").glob("*/decision.json")]
    return sorted(folders, key=lambda folder: (folder / "run.json").stat().st_mtime_ns, reverse=True)


def recall(project: Project, asked: str) -> Kept:
    """The decision whose id or commit begins so; for "" the newest run here, else the newest recorded."""
    runs = project.state / "runs"
    if not asked:
        newest = newest_run(project)
        return read_run(newest) if newest else from_ledger(project, "")
    matching = sorted(path.parent for path in runs.glob("*/decision.json") if path.parent.name.startswith(asked[:12]))
    return read_run(matching[0]) if len(matching) == 1 and len(asked) >= 4 else from_ledger(project, asked)


def recall_rows(project: Project, asked: str = "") -> Kept:
    """As `recall`; for "" the newest decision that kept rows, if one of the last few did: refused data leave none."""
    newest = recall(project, asked)
    if asked or newest.holdout is not None:
        return newest
    for folder in _runs(project)[1:_LOOKED_AT]:
        kept = read_run(folder)
        if kept.holdout is not None:
            return kept
    for row in ledger.history(project.repository, project=project.config.project, limit=_LOOKED_AT):
        kept = from_ledger(project, row.id)
        if kept.holdout is not None:
            return kept
    return newest


def read_run(folder: Path) -> Kept:
    """A run's folder, its evidence compared with the digests the decision pins. UsageError when it is none."""
    if not (folder / "decision.json").is_file():
        raise UsageError(
            f"{folder.name} is not the folder of a run", "Name one of .mlops-ci/runs/, as `check` prints it."
        )
    data = _read(folder, "decision.json")
    decision = parse_statement(data)
    for name in (entries.EVIDENCE, *decision.evidence):
        if not _NAME.fullmatch(name) or name not in decision.evidence:
            raise UsageError(f"the decision has no evidence that is named {name[:80]!r}", _NOT_OURS)
    content = {name: _pinned(folder, name, sha256) for name, sha256 in decision.evidence.items()}
    evidence = _decoded(content[entries.EVIDENCE], Evidence, folder)
    return Kept(
        id=hashlib.sha256(data).hexdigest(),
        decision=decision,
        evidence=evidence,
        run=_decoded(_read(folder, "run.json"), RunInfo, folder),
        arrays={
            name.removesuffix(".npy"): npy.decode(data, name=name)
            for name, data in content.items()
            if name.endswith(".npy")
        },
        holdout=_holdout(folder, content),
        ids=_ids(folder, evidence.look),
        shown=_ids(folder, evidence.look, shown=True),
    )


def story(project: Project, kept: Kept, *, with_run: bool = True) -> Story:
    """What its report is told from."""
    return Story(
        decision=kept.decision,
        decision_id=kept.id,
        evidence=kept.evidence,
        earlier=earlier(project.repository, kept.decision.project, kept.decision.subject.commit),
        run=kept.run if with_run else None,
        prefix=project.folder,
    )


def entry(kept: Kept, report_markdown: str, charts: dict[str, str]) -> Entry:
    """As the ledger keeps it."""
    if kept.run is None:
        raise UsageError("the run's folder has no run.json", "Run `mlops-ci check` again.")
    return Entry(
        decision=kept.decision,
        run=kept.run,
        evidence=kept.evidence,
        report_markdown=report_markdown,
        charts=charts,
        arrays=kept.arrays,
        holdout=kept.holdout,
        ids=kept.ids,
        shown=kept.shown,
    )


def from_ledger(project: Project, asked: str) -> Kept:
    """The decision of the ledger whose id or commit begins so, the newest for ""; its rows from the project's store."""
    return recorded(project.repository, project, ledger.find(project.repository, asked))


def recorded(repository: Repository, project: Project | None, stored: StoredDecision) -> Kept:
    """A decision of the ledger; `project`: whose store is asked for rows that lie there."""
    rows = rows_of(repository, project, stored)
    return Kept(
        id=stored.id,
        decision=stored.decision,
        evidence=stored.evidence,
        run=stored.run,
        arrays=rows.arrays,
        holdout=rows.holdout,
        ids=read_ids(repository, stored.head, stored.evidence.look),
        no_rows=rows.reason,
    )


def _holdout(folder: Path, content: dict[str, bytes]) -> Holdout | None:
    path = next((name for name in content if name.startswith("holdouts/")), None)
    if path is None:
        return None
    index = holdouts.parse_index(content[path], path=path)
    beside = {array.file: _read(folder, f"{Path(path).parent.as_posix()}/{array.file}") for array in index.arrays}
    return holdouts.parse(index, beside)


def _ids(folder: Path, look: Look | None, *, shown: bool = False) -> NDArray[np.uint64] | None:
    """The ids of the run's look, or of the rows that were shown instead; the evidence names their digests."""
    file = "" if look is None else (look.shown or "") if shown else look.rows
    if look is None or not file:
        return None
    return parse_ids(_read(folder, f"{holdout_folder(look.holdout)}/{plain(file)}"), look, file=file)


def _pinned(folder: Path, name: str, sha256: str) -> bytes:
    data = _read(folder, name if name.startswith("holdouts/") else f"evidence/{name}")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(
            f"{name} is not what the decision was made from", "The folder was changed; run `mlops-ci check --fresh`."
        )
    return data


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise UsageError(f"{name} is missing in {folder}", "The folder is not whole; run `mlops-ci check --fresh`.")
    if not name.endswith(".npy") and path.stat().st_size > _LARGEST_TEXT:
        raise UsageError(f"{name} is larger than mlops-ci writes it", _NOT_OURS)
    return path.read_bytes()


def _decoded(data: bytes, kind: type[_Record], folder: Path) -> _Record:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{folder.name} holds something unreadable: {error}", "A newer version wrote it?") from error
