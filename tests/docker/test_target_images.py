"""The images of all targets, with a real engine and a real registry: each asked as its platform asks, all alike."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.edge import signing
from tests import helpers, serving_bundles, signing_keys, targets
from tests.docker import machine
from tests.docker.machine import Daemon
from tests.docker.project import Project
from tests.serving_client import until

pytestmark = [pytest.mark.needs(*machine.PARTS), pytest.mark.timeout(1800)]
Capture = pytest.CaptureFixture[str]
Rows = list[dict[str, Any]]
ALL = ["docker", "lambda", "functions", "batch"]


@pytest.fixture
def real(project: Project) -> Project:
    """With a bundle that `release` could have made: three classes, texts and missing values, ONNX."""
    shutil.rmtree(project.bundle)
    lock = {"requirements.lock": (targets.SERVING / "requirements.lock").read_bytes()}
    serving_bundles.write(project.bundle, serving_bundles.multiclass() | lock)
    project.package(targets=ALL)
    return project


@contextlib.contextmanager
def container(engine: Daemon, image: str, command: list[str] | None = None, **settings: Any) -> Iterator[Any]:
    """A container on the network of this machine, its root read only."""
    made = engine.client.containers.run(
        image, command, detach=True, network_mode="host", read_only=True, cap_drop=["ALL"], **settings
    )
    try:
        yield made
    finally:
        made.remove(force=True)


def over_http(engine: Daemon, image: str, rows: Rows, command: list[str] | None, **variables: str) -> Rows:
    port = machine.free_port()
    told = [part.format(port=port) for part in command] if command else None
    variables = {name: text.format(port=port) for name, text in variables.items()}
    with container(engine, image, told, environment=variables):
        until(lambda: targets.request(port, "/ready")[0] == 200)
        return list(
            json.loads(targets.request(port, "/invocations", json.dumps({"instances": rows}))[1])["predictions"]
        )


def by_lambda(engine: Daemon, image: str, rows: Rows) -> Rows:
    api = targets.RuntimeApi()
    try:
        with container(
            engine, image, environment={"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.server_port}"}
        ) as made:
            answered = list(api.invoke({"instances": rows})["predictions"])
            made.kill()
            return answered
    finally:
        api.events.put(None)
        api.server.shutdown()


def by_batch(engine: Daemon, image: str, rows: Rows, folder: Path) -> Rows:
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with (folder / "in.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    volumes = {str(folder): {"bind": "/data", "mode": "rw"}}
    with container(engine, image, ["/data/in.csv", "/data/out.csv"], volumes=volumes) as made:
        assert made.wait()["StatusCode"] == 0, made.logs()
    with (folder / "out.csv").open(newline="") as file:
        return [{name: _cell(text) for name, text in row.items()} for row in csv.DictReader(file)]


def _cell(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def test_an_image_for_each_target_is_built_tried_out_pushed_and_answers_as_judged(
    real: Project, engine: Daemon, tmp_path: Path, capsys: Capture
) -> None:
    said = real.run(capsys, "push", "--json")
    assert said.code == 0, said.err + said.out
    found = said.json["images"]
    assert list(found) == ALL
    golden = json.loads((real.bundle / "golden.json").read_bytes())
    for target, image in found.items():
        assert image["smoke"]["ok"], target
        assert image["smoke"]["fingerprint"] == golden["fingerprint"]
        assert image["smoke"]["rows"] == len(golden["rows"])
        assert 5e6 < image["smoke"]["peak_memory"] < 300e6
        assert image["image"].startswith(f"{real.image}@sha256:")
        assert image["name"].endswith("" if target == "docker" else f"-{target}")
        assert image["layers"][:2] == found["docker"]["layers"][:2], "base and libraries are those of the server"
        assert image["layers"][-1] == found["docker"]["layers"][-1], "the model is the last"
    assert len({image["image"] for image in found.values()}) == len(ALL)
    rows = [dict(zip(golden["columns"], row, strict=True)) for row in golden["rows"]]
    named = {target: image["image"] for target, image in found.items()}
    answers = {
        "docker": over_http(engine, named["docker"], rows, ["--port", "{port}"]),
        "functions": over_http(engine, named["functions"], rows, None, PORT="{port}"),
        "lambda": by_lambda(engine, named["lambda"], rows),
        "batch": by_batch(engine, named["batch"], rows, tmp_path / "data"),
    }
    for target, answered in answers.items():
        for name, judged in golden["answers"].items():
            values = [row[name] for row in answered]
            assert values == (judged if name == "prediction" else pytest.approx(judged, abs=golden["tolerance"])), (
                target
            )


@pytest.mark.parametrize("target", ["lambda", "functions", "batch"])
def test_an_image_that_answers_otherwise_is_refused_and_none_is_pushed(
    real: Project, engine: Daemon, capsys: Capture, target: str
) -> None:
    """Golden answers of another model: the runtime refuses such a bundle wherever it runs."""
    path = real.bundle / "golden.json"
    golden = json.loads(path.read_bytes())
    golden["answers"]["prediction"] = golden["answers"]["prediction"][::-1]
    files = {
        file.relative_to(real.bundle).as_posix(): file.read_bytes() for file in real.bundle.rglob("*") if file.is_file()
    }
    shutil.rmtree(real.bundle)
    del files["manifest.json"]
    serving_bundles.write(real.bundle, files | {"golden.json": json.dumps(golden).encode()})
    said = real.run(capsys, "push", "--target", target)
    assert said.code == 10, said.err + said.out
    assert said.out.startswith(f"refused: {target}: "), said.out
    assert "pushed" not in said.out


def test_images_of_a_project_that_trusts_a_key_open_nothing_else(
    real: Project, engine: Daemon, tmp_path: Path, capsys: Capture
) -> None:
    ours, theirs = (signing_keys.pair(tmp_path, name) for name in ("ours", "theirs"))
    helpers.commit(real.root, {"keys/release.pub": ours.public.read_bytes()}, "whom we trust")
    real.package(trust="keys/release.pub")
    said = real.run(capsys, "build", "--target", "docker")
    assert said.code == 2
    assert "a signature is demanded, and this bundle has none that holds: " in said.err
    (real.bundle / "model.sig").write_bytes(signing.sign(real.bundle, ours.private, print))
    for target in ("docker", "lambda"):
        said = real.run(capsys, "build", "--target", target, "--json")
        assert said.code == 0, said.err + said.out
        [image] = said.json["images"].values()
        assert image["smoke"]["ok"], target
        config = engine.client.api.inspect_image(image["id"])["Config"]
        assert "MLOPS_CI_TRUST=/kit/trust.pub" in config["Env"]
        other = tmp_path / f"{target}.sig"
        other.write_bytes(signing.sign(real.bundle, theirs.private, print))
        volumes = {str(other): {"bind": "/bundle/model.sig", "mode": "ro"}}
        with container(
            engine, image["id"], volumes=volumes, environment={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}
        ) as one:
            assert one.wait(timeout=120)["StatusCode"] != 0
            assert b"model.sig: it was made with the key" in one.logs()
