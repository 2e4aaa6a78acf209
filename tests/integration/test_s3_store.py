"""Bundles in a server that speaks S3, asked by the library of the extra `s3`; and what goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge.stores import s3
from mlops_ci.errors import UsageError
from tests.between import Between
from tests.github.server import Reply

REPOSITORY = Path(__file__).parents[2]
NAME = "bundle-" + "a" * 64
# One line a step: what was answered, or the error with its advice.
DRIVER = """
import json, sys
from pathlib import Path
from mlops_ci.edge.stores.s3 import S3Store
from mlops_ci.errors import MlopsCiError

def asked(store, step):
    name, *rest = step
    try:
        if name == "fetch":
            return store.fetch(rest[0], Path(rest[1]), limit=int(rest[2]))
        return getattr(store, name)(*[Path(each) if "/" in each else each for each in rest])
    except MlopsCiError as error:
        return [type(error).__name__, error.message, error.advice]

store = S3Store("models", "flights")
print("told:" + json.dumps([asked(store, step) for step in json.loads(sys.argv[1])]))
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "a.zip").write_bytes(b"PK" + tmp_path.name.encode() + bytes(range(256)) * 4000)
    return tmp_path / "a.zip"


def ask(python: Path, address: str, *steps: tuple[object, ...]) -> list[Any]:
    """What each step answered, all in one process."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables |= {"PYTHONPATH": str(REPOSITORY), "AWS_ENDPOINT_URL": address}
    variables |= {"AWS_ACCESS_KEY_ID": "ada", "AWS_SECRET_ACCESS_KEY": "secret"}
    told = json.dumps([[str(each) for each in step] for step in steps])
    done = subprocess.run(
        [str(python), "-c", DRIVER, told], env=variables, capture_output=True, text=True, check=False, timeout=200
    )
    assert "told:" in done.stdout, done.stderr
    assert "secret" not in done.stdout + done.stderr
    return list(json.loads(done.stdout.rpartition("told:")[2]))


def test_what_was_put_is_fetched_sized_and_removed(s3_python: Path, s3_server: str, archive: Path) -> None:
    back, other = archive.with_name("back.zip"), archive.with_name("other.zip")
    other.write_bytes(b"other")
    told = ask(
        s3_python,
        s3_server,
        ("size", NAME),
        ("fetch", NAME, back, 10),
        ("put", NAME, archive),
        ("put", NAME, archive),
        ("size", NAME),
        ("fetch", NAME, back, archive.stat().st_size),
        ("fetch", NAME, back.with_name("small.zip"), 10),
        ("put", NAME, other),
        ("remove", NAME),
        ("remove", NAME),
        ("size", NAME),
    )
    size = archive.stat().st_size
    assert told[:6] == [None, False, None, None, size, True]
    assert back.read_bytes() == archive.read_bytes()
    assert told[6][:2] == ["OutsideError", f"{NAME}.zip in s3://models/flights has more than 10 bytes"]
    assert not back.with_name("small.zip").exists()
    assert told[7][0] == "OutsideError"
    assert told[8:] == [None, None, None]


def test_it_is_put_only_where_there_is_none(s3_python: Path, s3_server: str, archive: Path) -> None:
    between = Between(s3_server)
    ask(s3_python, between.server.url, ("put", "bundle-" + "b" * 64, archive))
    between.stop()
    [put] = [each for each in between.requests if each.method == "PUT"]
    assert put.path == f"/models/flights/bundle-{'b' * 64}.zip"
    assert put.headers["if-none-match"] == "*"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Reply(403, b"<Error><Code>AccessDenied</Code></Error>"), "s3://models/flights refused PUT"),
        (Reply(404, b"<Error><Code>NoSuchBucket</Code></Error>"), "s3://models/flights could not be asked: PUT"),
        (Reply(503, b"<Error><Code>SlowDown</Code></Error>"), "s3://models/flights could not be asked: PUT"),
        (None, "s3://models/flights could not be asked: PUT"),
    ],
    ids=["403", "404", "503", "closed"],
)
def test_what_does_not_pass_is_told_and_the_next_run_does_it(
    s3_python: Path, s3_server: str, archive: Path, *, said: Reply | None, words: str
) -> None:
    between, name = Between(s3_server), f"bundle-{abs(hash(words + str(said))):064x}"
    between.fault = lambda request: said if request.method == "PUT" else "on"
    [told] = ask(s3_python, between.server.url, ("put", name, archive))
    assert told[0] == "OutsideError"
    assert told[1].startswith(words)
    assert told[2]
    between.stop()
    assert ask(s3_python, s3_server, ("size", name), ("put", name, archive)) == [None, None]


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)  # to import it fails, also where it is installed
    with pytest.raises(UsageError, match="is not installed here") as stopped:
        s3.S3Store("models", "flights")
    assert "mlops-ci[s3]" in stopped.value.advice


def test_credentials_go_to_no_address_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://minio.example:9000")
    monkeypatch.setattr(s3, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "obstore", type(sys)("obstore"))
    monkeypatch.setitem(sys.modules, "obstore.store", type(sys)("obstore.store"))
    sys.modules["obstore.store"].S3Store = object  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL_S3 has to begin with https"):
        s3.S3Store("models", "flights")
