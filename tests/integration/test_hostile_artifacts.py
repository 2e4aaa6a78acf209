"""Artifacts that are none, too large, or hostile to whoever unpacks them: each ends as a status, never as a crash."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from mlops_ci.edge import archives
from mlops_ci.ledger import arrays
from mlops_ci.records.canonical import canonical_json
from tests.github.judging import ORDINARY, Judging, repository, row, table, zipped


class Sent(NamedTuple):
    judging: Judging
    commit: str
    evidence: Path


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    with repository(tmp_path_factory.mktemp("artifacts")) as judging:
        commit = judging.branch(ORDINARY)
        yield Sent(judging, commit, judging.checked())


def of(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def special(kind: int, name: str = "decision.json") -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return info


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros.npy", "w") as member:
        for _ in range(1024):
            member.write(bytes(1 << 20))
    return out.getvalue()


def encrypted() -> bytes:
    data = bytearray(of(("decision.json", b"{}")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def many_files() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"f{number}", b"")
    return out.getvalue()


def instead(name: str, data: bytes) -> Callable[[Path], bytes]:
    """The honest artifact with one file replaced, and no digest made right."""

    def made(evidence: Path) -> bytes:
        out = io.BytesIO(zipped(evidence))
        members = {info.filename: zipfile.ZipFile(out).read(info) for info in zipfile.ZipFile(out).infolist()}
        return of(*{**members, name: data}.items())

    return made


def pinned(name: str, data: bytes) -> Callable[[Path], bytes]:
    """The same, and its digest in the decision is made right."""

    def made(evidence: Path) -> bytes:
        statement = json.loads((evidence / "decision.json").read_bytes())
        statement["predicate"]["evidence"][name] = hashlib.sha256(data).hexdigest()
        changed = instead("decision.json", canonical_json(statement))(evidence)
        members = {info.filename: zipfile.ZipFile(io.BytesIO(changed)).read(info) for info in _infos(changed)}
        return of(*{**members, f"evidence/{name}": data}.items())

    return made


def elsewhere(evidence: Path) -> bytes:
    statement = json.loads((evidence / "decision.json").read_bytes())
    statement["predicate"]["evidence"]["../../../../etc/passwd"] = "0" * 64
    return instead("decision.json", canonical_json(statement))(evidence)


def _infos(data: bytes) -> list[zipfile.ZipInfo]:
    return zipfile.ZipFile(io.BytesIO(data)).infolist()


def objects() -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([{}], dtype=object), allow_pickle=True)
    return out.getvalue()


class Case(NamedTuple):
    name: str
    made: Callable[[Path], bytes | None]


CASES = (
    Case("none", lambda _: None),
    Case("no zip", lambda _: b"MZ not a zip"),
    Case("cut off", lambda told: zipped(told)[:-200]),
    Case("empty", lambda _: of()),
    Case("leads upwards", lambda _: of(("../../x", b""))),
    Case("an absolute path", lambda _: of(("/etc/passwd", b""))),
    Case("a link", lambda _: of((special(stat.S_IFLNK), b"/etc/passwd"))),
    Case("a device", lambda _: of((special(stat.S_IFBLK), b""))),
    Case("names twice", lambda _: of(("a.json", b""), ("A.json", b""))),
    Case("encrypted", lambda _: encrypted()),
    Case("a gigabyte of zeros, packed", lambda _: bomb()),
    Case("100,000 files", lambda _: many_files()),
    Case("a zip in the zip", lambda told: of(("run.zip", zipped(told)))),
    Case("decision.json of 50 MB", instead("decision.json", b" " * 50_000_000)),
    Case("decision.json nested without end", instead("decision.json", b"[" * 1_000_000)),
    Case("decision.json with NaN", instead("decision.json", b'{"_type": NaN}')),
    Case("evidence nested without end", pinned("evidence.json", b'{"snapshot":' * 100_000)),
    Case("evidence that was changed", instead("evidence/evidence.json", b"{}")),
    Case("evidence that lies elsewhere", elsewhere),
    Case("labels that are objects", pinned("labels.npy", objects())),
    Case("labels of another number of rows", pinned("labels.npy", arrays.encode(np.zeros(3, np.int32)))),
    Case("labels in a table", pinned("labels.npy", arrays.encode(np.zeros((43, 2), np.int32)))),
    Case("labels that are no classes", pinned("labels.npy", arrays.encode(np.full(43, 9, np.int32)))),
    Case("scores that are no numbers", pinned("scores.npy", arrays.encode(np.full(43, np.nan, np.float32)))),
    Case("run.json that is none", instead("run.json", b"[]")),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_hostile_artifact_could_not_be_judged(case: Case, sent: Sent) -> None:
    told = sent.judging.judged(sent.judging.left(case.made(sent.evidence), sent.commit))
    assert [ran.code for ran in told.ran] == [0, 0], told.ran
    assert "Traceback" not in "".join(ran.err for ran in told.ran)
    assert told.state == "error"
    assert row(case.name, told) in table()


def test_an_artifact_larger_than_allowed_is_not_fetched(sent: Sent) -> None:
    """A gigabyte, by GitHub's word; and where that word is wrong, the bytes are counted."""
    judging = sent.judging
    run = judging.left(sent.evidence, sent.commit)
    artifact = max(judging.github.state.artifacts)
    judging.github.state.artifacts[artifact].size = 1 << 30
    told = judging.judged(run)
    assert (told.state, told.status) == (
        "error",
        "rain: could not be judged. The artifact 'mlops-run-rain' has more than 268,435,456 bytes",
    )
    assert not judging.github.asked("GET", f"/actions/artifacts/{artifact}/zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_what_github_packs_with_is_unpacked(method: int, tmp_path: Path) -> None:
    """Others take as much memory as the archive asks for."""
    with zipfile.ZipFile(tmp_path / "in.zip", "w", method) as archive:
        archive.writestr("decision.json", b"{}")
    with pytest.raises(archives.ArchiveError, match=r"decision\.json is no plain file"):
        archives.unpack(tmp_path / "in.zip", tmp_path / "out", most_bytes=100, most_files=2)


def test_what_is_unpacked_stays_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in.zip").write_bytes(of(("evidence/labels.npy", b"1"), ("decision.json", b"2")))
    archives.unpack(tmp_path / "in.zip", tmp_path / "out", most_bytes=2, most_files=2)
    assert (tmp_path / "out/evidence/labels.npy").read_bytes() == b"1"
    with pytest.raises(archives.ArchiveError, match="larger than allowed"):
        archives.unpack(tmp_path / "in.zip", tmp_path / "less", most_bytes=1, most_files=2)
