"""Images as text and as tars: what a Docker Engine is given. tests/docker builds them."""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.edge import tars
from mlops_ci.errors import UsageError
from mlops_ci.packaging import image
from mlops_ci.records.images import BASE, REPOSITORY, ImageNames, Target
from mlops_ci.steps.image_context import Recipe, bundle_digest, write_context
from tests.docker import bundles

DIGEST = "sha256:" + "ab" * 32
NAMES = ImageNames(
    project="flights",
    bundle="cd" * 32,
    commit="c0ffee",
    created="2024-05-01T12:00:00Z",
    release="v12",
    decision="de" * 32,
)
_ROOT = Path(__file__).parents[2]


def test_the_dockerfile(golden: Callable[[str, str], None]) -> None:
    base = f"python:3.12-slim@{DIGEST}"
    golden("image/Dockerfile", image.labelled(image.dockerfile(base), image.labels(NAMES, base)))


@pytest.mark.parametrize("target", ["lambda", "functions", "batch"])
def test_the_dockerfile_of_another_target(golden: Callable[[str, str], None], target: Target) -> None:
    base = f"python:3.12-slim@{DIGEST}"
    text = image.dockerfile(base, target)
    golden(f"image/Dockerfile.{target}", image.labelled(text, image.labels(NAMES, base, target)))
    shared = image.dockerfile(base).partition("\n\n# What changes most")[0]
    assert text.startswith(shared), "libraries and runtime are built once for all targets"


@pytest.mark.parametrize("target", ["docker", "lambda"])
def test_the_dockerfile_where_a_key_is_trusted(golden: Callable[[str, str], None], target: Target) -> None:
    """Beside what the target needs anyway."""
    base = f"python:3.12-slim@{DIGEST}"
    golden(f"image/Dockerfile.{target}.trust", image.dockerfile(base, target, trusts=True))


def test_a_dockerfile_of_ones_own_cannot_leave_out_the_key() -> None:
    own = image.trusting("FROM base\nENV MLOPS_CI_TRUST=\nCMD x\n")
    assert own == (
        "FROM base\nENV MLOPS_CI_TRUST=\nCMD x\n\n"
        "COPY kit/trust.pub /kit/trust.pub\nENV MLOPS_CI_TRUST=/kit/trust.pub\n"
    )


def test_uv_is_the_one_of_the_tool() -> None:
    locked = (_ROOT / "requirements.lock").read_text(encoding="utf-8")
    [entry] = re.findall(r"^uv==.*?(?=^\S|\Z)", locked, re.M | re.S)
    without_comments = "".join(line for line in entry.splitlines(keepends=True) if "#" not in line)
    assert image.installer().decode().endswith(f"\n{without_comments}")


def unquoted(text: str) -> str:
    """What Docker makes of a text in double quotes: variables replaced, then backslashes taken away."""
    assert not re.search(r"(?<!\\)(?:\\\\)*\$", text), "a variable"
    return re.sub(r"\\(.)", r"\1", text)


@given(st.text())
def test_a_label_holds_its_value_whatever_it_is(value: str) -> None:
    text = image.labelled("FROM base\n", {"name": value})
    head, _, label = text.partition("\n\nLABEL name=")
    assert head == "FROM base"
    assert label.endswith('"\n')
    assert label.count("\n") == 1
    inside = label[1:-2]
    assert not re.search(r'(?<!\\)(?:\\\\)*"', inside), "the quotes end early"
    kept = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", value)
    assert unquoted(inside) == kept


@pytest.mark.parametrize("name", ["ghcr.io/acme/flights", "flights", "127.0.0.1:5000/a/b", "a__b/c-d.e"])
def test_a_repository(name: str) -> None:
    assert REPOSITORY.fullmatch(name)
    assert BASE.fullmatch(f"{name}@{DIGEST}")
    assert BASE.fullmatch(f"{name}:1.2@{DIGEST}")


@pytest.mark.parametrize(
    "name", ["Flights", "a b", "-x", "a/", "a@b", "a:tag", "a\n", "", "a/../b", "https://a/b", "$a"]
)
def test_no_repository(name: str) -> None:
    assert not REPOSITORY.fullmatch(name)


@pytest.mark.parametrize("base", ["python", "python:3.12-slim", f"python@{DIGEST[:-1]}", f"python@{DIGEST}\nRUN x", ""])
def test_no_base(base: str) -> None:
    assert not BASE.fullmatch(base)


def test_a_tar_is_the_same_whatever_the_files_were(tmp_path: Path) -> None:
    made = []
    for at, order in enumerate((("b/c", "a"), ("a", "b/c"))):
        folder = tmp_path / str(at)
        (folder / "b").mkdir(parents=True)
        for name in order:
            (folder / name).write_text(name)
            os.utime(folder / name, (at, at))
            (folder / name).chmod(0o600 + at)
        into = io.BytesIO()
        tars.write(into, {name: folder / name for name in order} | {"d": b"content"}, time=image.TIME)
        made.append(into.getvalue())
    assert made[0] == made[1]
    with tarfile.open(fileobj=io.BytesIO(made[0])) as archive:
        entries = archive.getmembers()
    assert [each.name for each in entries] == ["b", "a", "b/c", "d"]
    assert {(each.mtime, each.uid, each.uname) for each in entries} == {(image.TIME, 0, "")}
    assert {oct(each.mode) for each in entries} == {"0o755", "0o644"}


def recipe(bundle: Path, **more: str) -> Recipe:
    names = ImageNames(project="lines", bundle=bundle_digest(bundle))
    return Recipe(bundle=bundle, names=names, repository="lines", **more)


def test_the_context_has_a_folder_for_each_layer(tmp_path: Path) -> None:
    bundle = bundles.make(tmp_path / "bundle")
    made = recipe(bundle, base=f"python@{DIGEST}")
    write_context(made, tmp_path / "context")
    found = sorted(path.relative_to(tmp_path / "context").as_posix() for path in (tmp_path / "context").rglob("*.*"))
    assert [name for name in found if not name.startswith("model/")] == [
        "libraries/requirements.lock",
        "libraries/uv.lock",
        "runtime/bundle/serve/mlops_ci_serving/__init__.py",
        "runtime/bundle/serve/mlops_ci_serving/__main__.py",
    ]
    assert "model/bundle/manifest.json" in found
    assert (tmp_path / "context" / "Dockerfile").read_text().startswith("# The image of a bundle")
    with pytest.raises(UsageError, match="is not empty"):
        write_context(made, tmp_path / "context")


def test_the_name_is_the_release_or_the_digest(tmp_path: Path) -> None:
    made = recipe(bundles.make(tmp_path / "bundle"))
    assert made.name == f"lines:{made.names.bundle[:12]}"
    of = msgspec.structs.replace
    assert of(made, target="lambda").name == f"lines:{made.names.bundle[:12]}-lambda"
    assert of(made, target="batch", names=of(made.names, release="v3")).name == "lines:v3-batch"
    assert of(made, names=of(made.names, release="v3")).name == "lines:v3"


@pytest.mark.parametrize(
    ("target", "named"), [("lambda", "awslambdaric"), ("functions", "flask"), ("batch", "pyarrow")]
)
def test_a_kit_is_what_the_bundle_lacks(tmp_path: Path, target: Target, named: str) -> None:
    """Beside the bundle's libraries, in its versions: what both have lies in the image once."""
    lock = f"h11==0.1 \\\n    --hash=sha256:{'ab' * 32}\n".encode()
    made = recipe(bundles.make(tmp_path / "bundle", **{"requirements.lock": lock}), base=f"python@{DIGEST}")
    write_context(msgspec.structs.replace(made, target=target), tmp_path / "context")
    kit = (tmp_path / "context/kit/requirements.lock").read_text()
    assert re.search(rf"^{named}==\S+ .*\n +--hash=", kit, re.M)
    assert "h11" not in kit
    assert (tmp_path / "context/kit/main.py").exists() == (target == "functions")


@pytest.mark.parametrize("target", ["docker", "lambda"])
def test_a_key_that_is_trusted_lies_in_the_context_with_what_checks_it(tmp_path: Path, target: Target) -> None:
    bundle = bundles.make(tmp_path / "bundle")
    (bundle / "model.sig").write_bytes(b"laid")
    made = msgspec.structs.replace(recipe(bundle, base=f"python@{DIGEST}"), target=target, trust=b"a key")
    write_context(made, tmp_path / "context")
    assert (tmp_path / "context/kit/trust.pub").read_bytes() == b"a key"
    assert (tmp_path / "context/model/bundle/model.sig").read_bytes() == b"laid"
    kit = (tmp_path / "context/kit/requirements.lock").read_text()
    assert [name in kit for name in ("cryptography==", "awslambdaric==")] == [True, target == "lambda"]
    write_context(msgspec.structs.replace(made, signature=b"made", dockerfile="FROM own\n"), tmp_path / "own")
    assert (tmp_path / "own/model/bundle/model.sig").read_bytes() == b"made"
    assert "\nENV MLOPS_CI_TRUST=/kit/trust.pub\n\nLABEL " in (tmp_path / "own/Dockerfile").read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda bundle: (bundle / "more.txt").write_text(""), "more.txt is not listed"),
        (lambda bundle: (bundle / "golden.json").unlink(), "golden.json is missing"),
        (lambda bundle: (bundle / "model.onnx").write_text("{}"), "model.onnx was changed"),
        (lambda bundle: (bundle / "link").symlink_to("/etc"), "link is not listed"),
    ],
)
def test_a_changed_bundle_is_no_bundle(tmp_path: Path, change: Callable[[Path], None], words: str) -> None:
    bundle = bundles.make(tmp_path / "bundle")
    change(bundle)
    with pytest.raises(UsageError, match=words):
        bundle_digest(bundle)


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    bundle = bundles.make(tmp_path / "bundle")
    (bundle / "model.onnx").rename(tmp_path / "elsewhere")
    (bundle / "model.onnx").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"model\.onnx was changed"):
        bundle_digest(bundle)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no bundle"):
        bundle_digest(tmp_path)
