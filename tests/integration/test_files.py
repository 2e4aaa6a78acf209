"""edge.files on a real disk, with processes that are really killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_ci.edge import files
from mlops_ci.errors import ExitCode, OutsideError

FULL = Path("/dev/full")
SIZE = 300_000
WRITER = f"""
import sys
from pathlib import Path
from mlops_ci.edge import files
print("ready", flush=True)
for turn in range(10**9):
    files.write(Path(sys.argv[1]) / "file", bytes([65 + turn % 26]) * {SIZE})
    with files.folder(Path(sys.argv[1]) / f"folder-{{sys.argv[2]}}-{{turn}}") as fresh:
        (fresh / "one").write_bytes(b"1" * {SIZE})
        (fresh / "two").write_bytes(b"2" * {SIZE})
"""


def test_kill_9_at_any_moment_leaves_the_old_or_the_new_and_sweeping_removes_the_rest(tmp_path: Path) -> None:
    files.write(tmp_path / "file", b"@" * SIZE)
    left_over = 0
    for turn in range(12):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(turn)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.003 * turn)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        content = (tmp_path / "file").read_bytes()
        assert len(content) == SIZE
        assert len(set(content)) == 1
        for folder in tmp_path.glob("folder-*"):
            assert [path.stat().st_size for path in sorted(folder.iterdir())] == [SIZE, SIZE]
        left_over += len(list(tmp_path.glob(".*.part")))
        files.sweep(tmp_path)
        assert not list(tmp_path.glob(".*"))
    assert left_over, "no kill came in the middle of a write: the test shows nothing"
    assert list(tmp_path.glob("folder-*"))


def test_what_a_living_process_or_somebody_else_wrote_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / ".file.part").write_text("not ours")
    (tmp_path / "file.part").write_text("not ours")
    with files.folder(tmp_path / "target") as fresh:
        (fresh / "one").write_text("1")
        files.sweep(tmp_path)
        assert (fresh / "one").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".file.part", "file.part", "target"]


@pytest.mark.parametrize(("age", "stays"), [(3600, True), (25 * 3600, False)])
def test_what_another_machine_left_is_swept_after_a_day(tmp_path: Path, age: float, stays: bool) -> None:
    foreign = tmp_path / ".target.00000000.99999999.12345678.part"
    foreign.mkdir()
    (foreign / "half").write_text("half")
    os.utime(foreign, (time.time() - age,) * 2)
    files.sweep(tmp_path)
    assert foreign.exists() is stays


def test_sweeping_a_folder_that_is_not_there_is_nothing_to_do(tmp_path: Path) -> None:
    files.sweep(tmp_path / "nowhere")


def test_what_was_not_used_for_long_is_forgotten_and_a_use_makes_it_young_again(tmp_path: Path) -> None:
    for name in ("used", "unused", "young"):
        (tmp_path / name / "inside").mkdir(parents=True)
    (tmp_path / "pointer").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "young")
    for name in ("used", "unused", "pointer", "link"):
        os.utime(tmp_path / name, (time.time() - 15 * 24 * 3600,) * 2, follow_symlinks=False)
    files.touch(tmp_path / "used")
    files.forget(tmp_path, days=14)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["used", "young"]
    files.forget(tmp_path / "nowhere", days=14)
    files.touch(tmp_path / "nowhere")


def test_a_write_replaces_the_file_and_makes_the_folders_above_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / ("long " * 49)
    files.write(path, b"one")
    files.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_finished_folder_appears_in_one_step(tmp_path: Path) -> None:
    with files.folder(tmp_path / "a" / "target") as fresh:
        (fresh / "one").write_text("1")
        made = fresh.stat().st_ino
        assert not (tmp_path / "a" / "target").exists()
    assert (tmp_path / "a" / "target").stat().st_ino == made
    assert [path.name for path in (tmp_path / "a").rglob("*")] == ["target", "one"]


def test_a_folder_whose_making_fails_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), files.folder(tmp_path / "target") as fresh:
        (fresh / "one").write_text(f"{1 / 0}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_else_finished_first_stays_theirs(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with files.folder(target) as ours:
        (ours / "whose").write_text("ours")
        with files.folder(target) as theirs:
            (theirs / "whose").write_text("theirs")
    assert (target / "whose").read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_reported_with_path_and_advice_and_leaves_nothing(tmp_path: Path) -> None:
    """Files of this process are held to 1000 bytes, which the kernel refuses to exceed just as a full disk does."""
    program = f"""
import errno, resource, signal, sys
from pathlib import Path
from mlops_ci.edge import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
files._ADVICE[errno.EFBIG] = files._ADVICE[errno.ENOSPC]
try:
    files.write(Path({str(tmp_path)!r}) / "file", b"x" * 5000)
except files.OutsideError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"{tmp_path}/file cannot be written: File too large",
        "Free some space on that disk, then run the command again.",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_no_space_left_inside_a_folder_being_made_is_the_outside_worlds_fault(tmp_path: Path) -> None:
    with (
        pytest.raises(OutsideError, match="No space left on device") as caught,
        files.folder(tmp_path / "target"),
        FULL.open("wb") as full,
    ):
        full.write(b"x" * 100_000)
    assert "Free some space" in caught.value.advice
    assert caught.value.exit_code is ExitCode.OUTSIDE


def test_another_error_inside_the_block_is_left_to_whoever_wrote_the_block(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), files.folder(tmp_path / "target"):
        (tmp_path / "nowhere").read_bytes()


@pytest.mark.parametrize("make", [files.write, lambda path, _: files.folder(path).__enter__()])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, make: object) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutsideError, match=r"file/below cannot be written: (Not a directory|File exists)"):
        make(tmp_path / "file" / "below", b"")  # type: ignore[operator]


def test_a_sha256_is_that_of_the_content_and_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert files.sha256(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(OutsideError, match="gone cannot be read: No such file or directory"):
        files.sha256(tmp_path / "gone")


def test_a_pointer_of_git_lfs_is_told_from_data(tmp_path: Path) -> None:
    (tmp_path / "pointer").write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d7a2146' * 8}\nsize 12345\n"
    )
    (tmp_path / "data").write_bytes(b"version,https://git-lfs\n")
    (tmp_path / "empty").write_bytes(b"")
    assert [files.is_lfs_pointer(tmp_path / name) for name in ("pointer", "data", "empty")] == [True, False, False]
