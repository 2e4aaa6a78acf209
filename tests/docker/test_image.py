"""Images of bundles, with a real engine and a real registry: the same twice, small steps, safe, honest."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from mlops_ci.edge.git import Repository
from mlops_ci.edge.stores import folder as store
from mlops_ci.records.releases import Release
from mlops_ci.steps import ledger
from tests import helpers, serving_bundles
from tests.docker import bundles, machine
from tests.docker.machine import Daemon, Registry
from tests.docker.project import Project
from tests.e2e import test_release, test_release_estimator
from tests.integration.test_releases import entry

pytestmark = [pytest.mark.needs(*machine.PARTS), pytest.mark.timeout(1800)]  # the base is made once, in minutes
Capture = pytest.CaptureFixture[str]


def fresh(engine: Daemon) -> None:
    """The engine forgets all it built and all it pulled."""
    for image in engine.client.api.images(quiet=True):
        engine.client.api.remove_image(image, force=True)
    engine.client.api.prune_builds()


def manifest(reference: str) -> Any:
    """What the registry has under `repository@sha256:...`."""
    name, _, digest = reference.partition("@")
    host, _, repository = name.partition("/")
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    answer = httpx.get(f"http://{host}/v2/{repository}/manifests/{digest}", headers=accept)
    assert answer.headers["Docker-Content-Digest"] == digest
    return answer.json()


def test_an_image_is_built_tried_out_and_pushed_by_its_digest(project: Project, capsys: Capture) -> None:
    said = project.run(capsys, "push", "--json")
    assert said.code == 0, said.err
    found = said.json
    assert found["image"].startswith(f"{project.image}@sha256:")
    assert len(manifest(found["image"])["layers"]) == len(found["layers"]) == 4
    smoke = found["smoke"]
    assert (smoke["ok"], smoke["rows"], smoke["memory"]) == (True, len(bundles.ROWS), 512 * 2**20)
    assert smoke["fingerprint"] == json.loads((project.bundle / "golden.json").read_bytes())["fingerprint"]
    assert 5e6 < smoke["peak_memory"] < 200e6


def test_what_is_said(project: Project, capsys: Capture) -> None:
    said = project.run(capsys, "build")
    assert said.code == 0, said.err
    name = f"{project.image}:{digest(project.bundle)[:12]}"
    assert said.out == (f"built: {name}\n  try it         docker run --rm --read-only --publish 8000:8000 {name}\n")
    image, smoke = said.err.splitlines()
    assert image.startswith("image     4 layers, ")
    assert smoke.startswith("smoke     3 answers as judged, ready in ")


def test_two_builds_of_a_bundle_have_the_same_layers(project: Project, engine: Daemon, capsys: Capture) -> None:
    """From nothing, both: all is pulled, installed and compiled again."""
    found = []
    for _ in range(2):
        fresh(engine)
        found.append(project.run(capsys, "build", "--json").json)
    one, other = found
    assert one["layers"] == other["layers"]
    assert one["id"] != other["id"], "the engine's builder writes times into the configuration: docs/image.md says so"


def test_a_new_model_is_one_new_layer(project: Project, capsys: Capture) -> None:
    before = project.run(capsys, "push", "--json").json
    bundles.make(project.bundle, slope=3.0)
    began = time.monotonic()
    after = project.run(capsys, "push", "--json").json
    seconds = time.monotonic() - began
    assert after["layers"][:-1] == before["layers"][:-1]
    assert after["layers"][-1] != before["layers"][-1]
    assert (after["new_layers"], after["smoke"]["fingerprint"]) != (0, before["smoke"]["fingerprint"])
    assert after["new_layers"] == 1
    assert seconds < 20, "3 s on a quiet machine, smoke test included 6 s"


def test_what_the_image_is(project: Project, engine: Daemon, capsys: Capture) -> None:
    found = project.run(capsys, "build", "--json").json
    config = engine.client.api.inspect_image(found["id"])["Config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"][:4] == ["python3", "-P", "-m", "mlops_ci_serving"]
    assert config["Healthcheck"]["Test"][:3] == ["CMD", "python3", "-c"]
    assert config["Labels"] == {
        "org.opencontainers.image.title": "lines",
        "org.opencontainers.image.revision": "c0ffee" + 34 * "0",
        "org.opencontainers.image.base.name": project.base.partition("@")[0],
        "org.opencontainers.image.base.digest": project.base.partition("@")[2],
        "dev.mlops-ci.bundle": f"sha256:{digest(project.bundle)}",
        "dev.mlops-ci.target": "docker",
    }
    history = json.dumps(engine.client.api.history(found["id"]))
    assert "uv.lock" not in history, "the stage that installs is not part of it"


def released(project: Project, **images: Any) -> Release:
    """v1 in ledger and store, with these images."""
    name = digest(project.bundle)
    made = entry(1, name)
    assert made.release is not None
    release = msgspec.structs.replace(made.release, project="lines", **images)
    ledger.record(Repository.open(project.root), msgspec.structs.replace(made, release=release))
    store.put(project.root / ".mlops-ci/store", project.bundle, name)
    return release


def test_the_tag_of_a_release_stays_the_image_that_it_names(project: Project, capsys: Capture) -> None:
    named = f"{project.image}@sha256:{'7' * 64}"
    released(project, image=named, images={"docker": named})
    said = project.run(capsys, "push", "--json", of="v1")
    assert (said.code, said.json["error"]["code"]) == (2, "usage")
    assert said.json["error"]["message"] == f"v1 names its image already: {named}; its tag v1 stays that image"
    assert f"--tag {project.image}:v1 {named}" in said.json["error"]["advice"]
    assert not [line for line in said.err.splitlines() if line.startswith(("image ", "push "))], "nothing is built"


def test_another_repository_may_have_a_release_too(project: Project, capsys: Capture) -> None:
    """A mirror: what vN.json names lies elsewhere."""
    released(project, image=f"{project.image}-there@sha256:{'7' * 64}")
    assert project.run(capsys, "push", of="v1").code == 0


def test_a_release_is_found_tagged_and_labelled(project: Project, engine: Daemon, capsys: Capture) -> None:
    release = released(project)
    found = project.run(capsys, "push", "--json", of="v1")
    assert found.code == 0, found.err
    assert found.json["name"] == f"{project.image}:v1"
    labels = engine.client.api.inspect_image(found.json["id"])["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "v1"
    assert labels["dev.mlops-ci.decision"] == release.decision
    host, _, repository = project.image.partition("/")
    assert "v1" in httpx.get(f"http://{host}/v2/{repository}/tags/list").json()["tags"]


def test_the_container_says_that_it_is_healthy(project: Project, engine: Daemon, capsys: Capture) -> None:
    found = project.run(capsys, "build", "--json").json
    container = engine.client.containers.run(found["id"], detach=True, network_mode="none", read_only=True)
    probe = engine.client.api.inspect_image(found["id"])["Config"]["Healthcheck"]["Test"][1:]
    try:
        for _ in range(50):
            code, _ = container.exec_run(probe)
            if code == 0:
                break
            time.sleep(0.1)
        assert code == 0
        container.exec_run(["python3", "-c", "import os, signal; os.kill(1, signal.SIGTERM)"])
        assert "65532" in container.exec_run(["python3", "-c", "import os; print(os.getuid())"])[1].decode()
        code, said = container.exec_run(["python3", "-c", "open('/bundle/model.onnx', 'a')"])
        assert code != 0, said
    finally:
        container.remove(force=True)


def test_told_indexes_stay_out_of_the_image(
    project: Project, engine: Daemon, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://ada:secret-word@127.0.0.1:9/simple")
    found = project.run(capsys, "build", "--json").json
    api = engine.client.api
    assert "secret-word" not in json.dumps([api.inspect_image(found["id"]), api.history(found["id"])])


@pytest.mark.parametrize("name", ['"; RUN touch /hacked #', "$HOME ${PATH}", "a\\", "a\nRUN touch /hacked", "é`'日本"])
def test_hostile_names_stay_labels(project: Project, engine: Daemon, capsys: Capture, name: str) -> None:
    serving = {"version": 1, "project": name, "commit": name}
    bundles.make(project.bundle, **{"serving.json": json.dumps(serving).encode()})
    found = project.run(capsys, "build", "--json")
    assert found.code == 0, found.err
    labels = engine.client.api.inspect_image(found.json["id"])["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == name.replace("\n", " ")
    assert labels["org.opencontainers.image.revision"] == name.replace("\n", " ")


def test_an_image_that_answers_otherwise_is_refused_and_not_pushed(project: Project, capsys: Capture) -> None:
    bundles.make(project.bundle, served=2.5)
    said = project.run(capsys, "push")
    assert said.code == 10
    assert said.out.startswith("refused: it refuses to serve: the golden rows are answered otherwise\n")
    host, _, repository = project.image.partition("/")
    tags = httpx.get(f"http://{host}/v2/{repository}/tags/list").json().get("tags") or []
    assert digest(project.bundle)[:12] not in tags


def test_the_answers_over_http_are_compared_too(project: Project, capsys: Capture) -> None:
    """A server that checks itself well and answers something else."""
    runtime = (bundles.HERE / "stand_in.py").read_text().replace('{"predictions": answers(', '{"predictions": wrong(')
    runtime = runtime.replace(
        "def check():", 'def wrong(rows):\n    return [{"prediction": 1.25} for _ in rows]\n\n\ndef check():'
    )
    bundles.make(project.bundle, **{"serve/mlops_ci_serving/__main__.py": runtime.encode()})
    said = project.run(capsys, "build")
    assert said.code == 10
    assert said.out.startswith("refused: prediction of golden row 0 is 1.25; the judged model says 1")


def test_a_server_that_does_not_start_is_refused_with_its_last_words(project: Project, capsys: Capture) -> None:
    bundles.make(project.bundle, **{"serve/mlops_ci_serving/__main__.py": b"raise SystemExit('no engine')"})
    said = project.run(capsys, "build")
    assert said.code == 10
    assert said.out.startswith("refused: it does not start (code 1):\nno engine")


def test_more_memory_than_allowed_is_refused(project: Project, capsys: Capture) -> None:
    runtime = "import sys\nif '--check' not in sys.argv: b'x' * 2**28\n" + (bundles.HERE / "stand_in.py").read_text()
    bundles.make(project.bundle, **{"serve/mlops_ci_serving/__main__.py": runtime.encode()})
    project.package(memory=128)
    said = project.run(capsys, "build")
    assert said.code == 10
    assert said.out.startswith("refused: it needs more than the 128 MiB of package.memory\n")


def test_a_server_that_writes_to_its_root_is_refused(project: Project, capsys: Capture) -> None:
    runtime = "open('/tmp/x', 'w')\n" + (bundles.HERE / "stand_in.py").read_text()
    bundles.make(project.bundle, **{"serve/mlops_ci_serving/__main__.py": runtime.encode()})
    said = project.run(capsys, "build")
    assert said.code == 10
    assert "Read-only file system" in said.out


def test_an_own_dockerfile_is_used(project: Project, engine: Daemon, capsys: Capture) -> None:
    text = (
        f"FROM {project.base}\nENV PYTHONPATH=/bundle/serve MINE=yes\nCOPY runtime/ /\nCOPY model/ /\nUSER 1234\n"
        'ENTRYPOINT ["python3", "-m", "mlops_ci_serving", "/bundle", "--port", "8000"]'
    )
    helpers.commit(project.root, {"Dockerfile": text}, "my own")
    project.package(dockerfile="Dockerfile")
    found = project.run(capsys, "build", "--json")
    assert found.code == 0, found.err
    config = engine.client.api.inspect_image(found.json["id"])["Config"]
    assert "MINE=yes" in config["Env"]
    assert config["Labels"]["dev.mlops-ci.bundle"] == f"sha256:{digest(project.bundle)}"


def test_an_own_dockerfile_that_runs_as_root_is_refused(project: Project, capsys: Capture) -> None:
    helpers.commit(project.root, {"Dockerfile": f"FROM {project.base}\n"}, "my own")
    project.package(dockerfile="Dockerfile")
    said = project.run(capsys, "build")
    assert said.code == 10
    assert "it runs as root" in said.out


def test_a_step_that_fails_is_shown_with_its_last_lines(project: Project, capsys: Capture) -> None:
    step = "RUN echo all the words of http://ada:secret@there/; cat /bin/sh >/dev/full"
    helpers.commit(project.root, {"Dockerfile": f"FROM {project.base}\n{step}\n"}, "my own")
    project.package(dockerfile="Dockerfile")
    said = project.run(capsys, "build", "--json")
    assert said.code == 3
    error = said.json["error"]
    assert "all the words of http://***@there/" in error["message"]
    assert "secret" not in said.out + said.err
    assert error["advice"] == "make room on the disk of the Docker daemon: docker system prune"


def test_a_hash_that_does_not_fit_stops_the_build(project: Project, capsys: Capture) -> None:
    bundles.make(project.bundle, **{"requirements.lock": b"msgspec==0.22.0 --hash=sha256:" + b"0" * 64})
    said = project.run(capsys, "build", "--json")
    assert said.code == 3
    assert "hash" in said.json["error"]["message"].lower()
    assert said.json["error"]["advice"].startswith("the index gives another file than the one that was locked")


@pytest.mark.parametrize("line", ["msgspec==99.0.0", "no-such-library-of-anybody==1.0.0"])
def test_requirements_that_do_not_resolve_stop_the_build(project: Project, capsys: Capture, line: str) -> None:
    bundles.make(project.bundle, **{"requirements.lock": f"{line} --hash=sha256:{64 * '0'}".encode()})
    said = project.run(capsys, "build", "--json")
    assert said.code == 3
    assert line.partition("==")[0] in said.json["error"]["message"]
    assert said.json["error"]["advice"].startswith("the lock does not fit the Python of package.base, or the index")


def test_a_base_that_is_not_there(project: Project, capsys: Capture) -> None:
    unknown = project.base.partition("@")[0] + "@sha256:" + "1" * 64
    text = (project.root / "mlops.yaml").read_text().replace(project.base, unknown)
    (project.root / "mlops.yaml").write_text(text)
    said = project.run(capsys, "build", "--json")
    assert said.code == 3
    assert said.json["error"]["advice"] == "is the digest right, and is it still in the registry?"


def test_a_bundle_that_was_changed_is_refused(project: Project, capsys: Capture) -> None:
    (project.bundle / "model.onnx").write_bytes(b"{}")
    said = project.run(capsys, "build", "--json")
    assert said.code == 2
    assert "model.onnx was changed" in said.json["error"]["message"]


def test_no_daemon(project: Project, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{project.root}/nobody")
    said = project.run(capsys, "build", "--json")
    assert said.code == 3
    assert said.json["error"]["message"].startswith("Docker does not answer: ")
    assert said.json["error"]["advice"].startswith("Is the daemon running")


def test_without_a_base_it_says_how_to_find_one(project: Project, capsys: Capture) -> None:
    text = (project.root / "mlops.yaml").read_text().replace(f"  base: {project.base}\n", "")
    (project.root / "mlops.yaml").write_text(text)
    said = project.run(capsys, "build", "--json")
    assert said.code == 2
    assert said.json["error"]["where"] == "mlops.yaml:5: package.base"
    assert "docker buildx imagetools inspect" in said.json["error"]["advice"]


def test_the_engine_of_the_users_context_is_asked(
    project: Project, engine: Daemon, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As rootless Docker, Colima and Docker Desktop set it up."""
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    meta = {"Name": "mine", "Metadata": {}, "Endpoints": {"docker": {"Host": engine.address, "SkipTLSVerify": False}}}
    place = f"docker/contexts/meta/{hashlib.sha256(b'mine').hexdigest()}/meta.json"
    helpers.tree({"docker/config.json": json.dumps({"currentContext": "mine"}), place: json.dumps(meta)}, tmp_path)
    assert project.run(capsys, "build").code == 0


def test_a_registry_that_asks_who_one_is(
    project: Project, tmp_path: Path, capsys: Capture, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guarded").mkdir()
    guarded = Registry(tmp_path / "guarded", "ada:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n")
    try:
        text = (project.root / "mlops.yaml").read_text().replace(project.image, f"{guarded.address}/acme/lines")
        (project.root / "mlops.yaml").write_text(text)
        said = project.run(capsys, "push", "--json")
        assert (said.code, said.json["error"]["advice"]) == (3, "log in first: docker login")
        (tmp_path / "login").mkdir()
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "login"))
        login = {"auths": {guarded.address: {"auth": "YWRhOnNlY3JldA=="}}}
        (tmp_path / "login" / "config.json").write_text(json.dumps(login))
        said = project.run(capsys, "push", "--json")
        assert said.code == 0, said.err
        assert "YWRhOnNlY3JldA" not in said.out + said.err
    finally:
        guarded.stop()


@pytest.fixture
def own_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """An engine that a test may kill."""
    with machine.daemon() as running:
        monkeypatch.setenv("DOCKER_HOST", running.address)
        yield running


def test_a_daemon_that_dies_in_a_build(project: Project, own_engine: Daemon, capsys: Capture) -> None:
    text = f"FROM {project.base}\nRUN echo these were the last words; sleep 15\n"
    helpers.commit(project.root, {"Dockerfile": text}, "my own")
    project.package(dockerfile="Dockerfile")

    def kill() -> None:
        while not own_engine.client.api.containers():
            time.sleep(0.1)
        time.sleep(1)
        own_engine.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    said = project.run(capsys, "build", "--json")
    killer.join()
    assert said.code == 3
    error = said.json["error"]
    assert "cannot be built" in error["message"]
    assert "these were the last words" in error["message"]
    assert error["advice"] == "Is the Docker daemon still running?"


@pytest.mark.parametrize(
    ("status", "words", "advice"),
    [
        (500, "500", "the registry is in trouble: run it again later"),
        (403, "denied", "the account of `docker login` may not do that there"),
        (0, "EOF", "the registry broke the connection: run it again"),
    ],
)
def test_a_registry_that_refuses(project: Project, capsys: Capture, status: int, words: str, advice: str) -> None:
    """status: of every answer but the first, which says that this is a registry; 0 closes the connection instead."""
    with machine.refusing(status) as address:
        text = (project.root / "mlops.yaml").read_text().replace(project.image, f"{address}/acme/lines")
        (project.root / "mlops.yaml").write_text(text)
        said = project.run(capsys, "push", "--json")
    assert said.code == 3
    error = said.json["error"]
    assert error["message"].startswith(f"{address}/acme/lines:")
    assert words in error["message"]
    assert error["advice"].startswith(advice)


def test_a_registry_that_is_not_there(project: Project, capsys: Capture) -> None:
    address = f"127.0.0.1:{machine.free_port()}"
    text = (project.root / "mlops.yaml").read_text().replace(project.image, f"{address}/acme/lines")
    (project.root / "mlops.yaml").write_text(text)
    said = project.run(capsys, "push", "--json")
    assert (said.code, said.json["error"]["advice"]) == (3, "is the registry there?")


def test_the_runtime_with_onnx(project: Project, engine: Daemon, capsys: Capture) -> None:
    """What users get: the real runtime, ONNX Runtime, a logistic regression."""
    shutil.rmtree(project.bundle)
    lock = (serving_bundles.RUNTIME / "requirements.lock").read_bytes()
    serving_bundles.write(project.bundle, serving_bundles.binary() | {"requirements.lock": lock})
    said = project.run(capsys, "push", "--json")
    assert said.code == 0, said.err + said.out
    found, smoke = said.json, said.json["smoke"]
    assert smoke["rows"] == len(json.loads((project.bundle / "golden.json").read_bytes())["rows"])
    assert smoke["peak_memory"] < 128 * 2**20
    sizes = [layer["size"] for layer in manifest(found["image"])["layers"]]
    assert sum(sizes[1:]) < 60e6, "packed, without the base"
    assert sum(sizes) < 110e6
    said = engine.client.containers.run(
        found["id"], ["--check"], network_mode="none", read_only=True, remove=True, stdout=False, stderr=True
    )
    assert b"telemetry" not in said.lower(), "ONNX Runtime was told to report nothing"


def test_a_release_that_is_no_onnx(project: Project, engine: Daemon, capsys: Capture, tmp_path: Path) -> None:
    """scikit-learn, skops and the project's own transformer, from the lock that `release` put together."""
    told = test_release.run(test_release_estimator.project(tmp_path / "estimator"), "release")
    said = project.run(capsys, "build", "--json", of=told["bundle"])
    assert said.code == 0, said.err + said.out
    found, smoke = said.json, said.json["smoke"]
    assert (smoke["ok"], smoke["rows"]) == (True, 32)
    assert smoke["peak_memory"] < 300 * 2**20
    listed = engine.client.containers.run(
        found["id"],
        ["-c", "import os; print(sorted(os.listdir('/bundle/code/pipeline')))"],
        entrypoint=["python3", "-B"],
        network_mode="none",
        remove=True,
    )
    assert listed.decode().strip() == "['__init__.py', 'shares.py', 'sums.py']"


def digest(bundle: Path) -> str:
    """Of a bundle, 64 hex digits."""
    return hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
