"""`release --push` with an image: built, tried out, pushed, and named by its digest in the remote's ledger."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mlops_ci.cli import main
from tests.docker import machine
from tests.e2e import test_release as tumours
from tests.helpers import bare, commit, git

if TYPE_CHECKING:
    from tests.docker.machine import Daemon, Registry

pytestmark = [pytest.mark.needs(*machine.PARTS), pytest.mark.timeout(1800)]


class Desk:
    """A clone of a remote, whose project names image and base."""

    def __init__(self, folder: Path, image: str, base: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.image, self.base, self.capsys = tumours.project(folder / "project"), image, base, capsys
        settings = (self.root / "mlops.yaml").read_text()
        named = settings.replace("package: {", f'package: {{image: "{image}", base: "{base}", ')
        commit(self.root, {"mlops.yaml": named}, "An image")
        self.remote = bare(self.root, folder / "remote.git")
        git(self.root, "remote", "set-url", "origin", str(self.remote))

    def release(self, *options: str, code: int = 0) -> dict[str, Any]:
        self.capsys.readouterr()
        found = main(["-C", str(self.root), "release", "--network", "host", "--json", *options])
        said = self.capsys.readouterr()
        assert found == code, said.out + said.err
        return dict(json.loads(said.out))

    def published(self, path: str) -> dict[str, Any]:
        return dict(json.loads(git(self.remote, "show", f"mlops-reports:{path}")))


@pytest.fixture
def desk(
    tmp_path: Path,
    base: str,
    engine: Daemon,
    registry: Registry,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    monkeypatch.setenv("DOCKER_HOST", engine.address)
    return Desk(tmp_path, f"{registry.address}/acme/{tmp_path.name[-40:].strip('_')}", base, capsys)


def test_a_release_names_its_image_by_the_digest_of_the_registry(desk: Desk, engine: Daemon) -> None:
    told = desk.release("--push")
    assert told["release"] == "v1"
    assert told["image"].startswith(f"{desk.image}@sha256:")
    kept = desk.published("releases/tumours/v1.json")
    assert (kept["image"], kept["bundle"], kept["decision"]) == (told["image"], told["digest"], told["decision"])
    host, _, repository = desk.image.partition("/")
    answer = httpx.head(
        f"http://{host}/v2/{repository}/manifests/v1",
        headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json"},
    )
    assert answer.headers["Docker-Content-Digest"] == told["image"].partition("@")[2], "the tag is that image"
    assert _golden(engine, told["image"], Path(told["bundle"]))
    assert desk.release("--push") == told, "the same again is the release it was"


def test_what_was_released_without_a_push_gets_its_image_under_the_next_number(desk: Desk) -> None:
    first = desk.release()
    assert (first["release"], first["image"]) == ("v1", None)
    assert "image" not in json.loads(git(desk.root, "show", "mlops-reports:releases/tumours/v1.json"))
    pushed = desk.release("--push")
    assert (pushed["release"], pushed["digest"]) == ("v2", first["digest"])
    assert desk.published("releases/tumours/v2.json")["image"] == pushed["image"]
    assert desk.published("releases/tumours/v1.json")["bundle"] == first["digest"]
    assert desk.release() == pushed


def test_an_image_that_is_refused_is_no_release_and_not_pushed(desk: Desk) -> None:
    """A Dockerfile of the project's own, whose image runs as root."""
    text = 'FROM {base}\nCOPY runtime/ /\nCOPY model/ /\nENTRYPOINT ["python3"]\n'
    settings = (desk.root / "mlops.yaml").read_text()
    named = settings.replace("package: {", "package: {dockerfile: Dockerfile, ")
    commit(desk.root, {"mlops.yaml": named, "Dockerfile": text.format(base=desk.base)}, "An image of our own")
    told = desk.release("--push", code=10)
    assert (told["release"], told["image"], told["outcome"]) == (None, None, "failed")
    listed = git(desk.remote, "ls-tree", "-r", "--name-only", "mlops-reports").splitlines()
    assert not [path for path in listed if path.startswith("releases/")]
    (path,) = [path for path in listed if told["decision"] in path and path.endswith("/decision.json")]
    checks = {check["check"]: check for check in desk.published(path)["predicate"]["checks"]}
    assert checks["bundle_answers"]["status"] == "passed"
    assert checks["image_answers"]["status"] == "failed"
    assert checks["image_answers"]["message"].startswith("it runs as root")
    host, _, repository = desk.image.partition("/")
    assert httpx.get(f"http://{host}/v2/{repository}/tags/list").status_code == 404


def _golden(engine: Daemon, image: str, bundle: Path) -> bool:
    """`docker run` of what the registry has, asked the golden requests from outside the container."""
    golden = json.loads((bundle / "golden.json").read_bytes())
    port = machine.free_port()
    command = ["--port", str(port)]
    container = engine.client.containers.run(image, command, detach=True, network_mode="host", read_only=True)
    try:
        for _ in range(200):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        asked = {"dataframe_split": {"columns": golden["columns"], "data": golden["rows"]}}
        found = httpx.post(f"http://127.0.0.1:{port}/invocations", json=asked).json()["predictions"]
    finally:
        container.remove(force=True)
    tumours.alike({name: [row[name] for row in found] for name in golden["answers"]}, golden["answers"])
    return True
