"""What libraries weigh: the files they say they brought, and no others."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.edge.weights import weights


def installed(site: Path, name: str, files: dict[str, int], *, recorded: tuple[str, ...] = ()) -> None:
    for path, size in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(b"x" * size)
    about = site / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "RECORD").write_text("".join(f"{path},,\n" for path in (*files, *recorded)))


def test_what_libraries_weigh_is_the_files_they_brought(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    installed(site, "Some_Lib", {"some/__init__.py": 100, "some/__init__.pyc": 70, "../../../bin/some": 30})
    installed(site, "empty", {}, recorded=("gone.py", "../.."))
    (site / "nobody.py").write_bytes(b"x" * 1_000)
    assert weights(tmp_path / "bin" / "python") == {"some-lib": 130, "empty": 0}
