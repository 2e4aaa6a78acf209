"""Opening a bundle: nothing is used that the manifest does not vouch for, and no file of another format is opened."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mlops_ci.serving.bundle import opened
from mlops_ci.serving.errors import BundleError
from mlops_ci.serving.model import Model
from tests import serving_bundles
from tests.serving_bundles import sealed


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return serving_bundles.write(tmp_path_factory.mktemp("bundles") / "rents", serving_bundles.regression())


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "rents"))


def refused(bundle: Path, expected: str = "") -> str:
    with pytest.raises(BundleError) as caught:
        Model(opened(bundle, expected))
    return str(caught.value).replace(str(bundle), "BUNDLE")


def test_a_bundle_is_known_by_its_digest(bundle: Path) -> None:
    digest = opened(bundle).digest
    assert opened(bundle, digest).digest == opened(bundle, digest.removeprefix("sha256:")).digest == digest
    assert (
        refused(bundle, "sha256:" + "1" * 64) == f"BUNDLE: this is {digest}; only sha256:{'1' * 64} may be served here"
    )


def test_what_python_and_the_registry_leave_beside_is_no_file_of_it(bundle: Path) -> None:
    folder = bundle / "serve" / "mlops_ci_serving" / "__pycache__"
    folder.mkdir()
    (folder / "app.cpython-311.pyc").write_bytes(b"compiled")
    (bundle / "registered_model_meta").write_text("model_name: rents\n", encoding="utf-8")
    Model(opened(bundle))
    (folder / "app.py").write_bytes(b"")
    assert refused(bundle).startswith("BUNDLE/serve/mlops_ci_serving/__pycache__/app.py: manifest.json does not list")


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "one bit": (lambda b: _flip(b / "model.onnx"), "BUNDLE/model.onnx: sha256"),
    "one bit of the runtime": (lambda b: _flip(b / "serve/mlops_ci_serving/app.py"), "app.py: sha256"),
    "longer": (lambda b: (b / "model.onnx").open("ab").write(b"x"), "BUNDLE/model.onnx: "),
    "one more": (
        lambda b: (b / "serve/extra.py").write_bytes(b""),
        "serve/extra.py: manifest.json does not list",
    ),
    "one less": (lambda b: (b / "golden.json").unlink(), "BUNDLE/golden.json: manifest.json lists it, and it is not"),
    "a link": (lambda b: (b / "link").symlink_to("/etc/passwd"), "BUNDLE/link: a bundle holds plain files"),
    "a linked folder": (lambda b: (b / "folder").symlink_to("/etc"), "BUNDLE/folder: a bundle holds plain files"),
    "no manifest": (lambda b: (b / "manifest.json").unlink(), "BUNDLE/manifest.json: No such file"),
    "no JSON": (lambda b: (b / "manifest.json").write_bytes(b"{"), "manifest.json: Input data was truncated"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_bundle_is_refused(bundle: Path, case: str) -> None:
    tamper, words = TAMPERED[case]
    tamper(bundle)
    assert words in refused(bundle)


@pytest.mark.parametrize(
    "name", ["../rents/model.onnx", "/etc/passwd", "a//b", "./model.onnx", "a\\b", "", "a/..", "a\0b"]
)
def test_names_stay_within_the_bundle(bundle: Path, name: str) -> None:
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    manifest["files"][name] = {"sha256": "0" * 64, "bytes": 0}
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert "is no name of a file within the bundle" in refused(bundle)


def changed(bundle: Path, file: str, change: Callable[[Any], None]) -> Path:
    content = json.loads((bundle / file).read_bytes())
    change(content)
    (bundle / file).write_text(json.dumps(content), encoding="utf-8")
    return sealed(bundle)


WRONG: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "another model": ("serving.json", lambda s: s["model"].update(file="../x"), "BUNDLE/../x: manifest.json does not"),
    "a newer one": ("serving.json", lambda s: s.update(version=2), "serving.json: Invalid enum value 2"),
    "an unknown key": ("serving.json", lambda s: s.update(extra=1), "unknown field `extra`"),
    "a column twice": ("serving.json", lambda s: s["ids"].append("area"), "inputs and ids: area more than once"),
    "a private stranger": ("serving.json", lambda s: s["private"].append("x"), "private: x; there are area, rooms"),
    "a stranger fed": (
        "serving.json",
        lambda s: s["onnx"]["feeds"][0]["columns"].append("x"),
        "onnx.feeds: x; there are area, rooms",
    ),
    "scores for nothing": ("serving.json", lambda s: s["onnx"].update(scores="p"), "onnx.scores and the outputs"),
    "a limit of another kind": ("serving.json", lambda s: s["inputs"][0].update(minimum="a"), "the limit 'a' of area"),
    "no output of the graph": (
        "serving.json",
        lambda s: s["onnx"].update(label="l"),
        "onnx: the model has the",
    ),
    "no input of the graph": (
        "serving.json",
        lambda s: s["onnx"]["feeds"][0].update(name="Y"),
        "onnx: the model has the",
    ),
    "no golden rows": ("golden.json", lambda g: g.update(rows=[]), "golden.json: each row needs"),
    "other columns": (
        "golden.json",
        lambda g: g["columns"].reverse(),
        "columns are rooms, area; inputs are",
    ),
    "a golden row that is refused": (
        "golden.json",
        lambda g: g["rows"][3].__setitem__(1, 1.5),
        "row 3, column rooms: ",
    ),
    "another answer": (
        "golden.json",
        lambda g: g["answers"]["prediction"].__setitem__(4, 7.0),
        "golden.json: row 4: the model answers prediction ",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_bundle_that_contradicts_itself_is_refused(bundle: Path, case: str) -> None:
    file, change, words = WRONG[case]

    def filled(content: Any) -> None:
        if file == "serving.json":
            content.setdefault("ids", [])
            content.setdefault("private", [])
        change(content)

    assert words in refused(changed(bundle, file, filled))


def test_golden_answers_may_differ_by_the_tolerance_only(bundle: Path) -> None:
    def moved(by: float) -> Path:
        def change(content: Any) -> None:
            answers = serving_bundles.regression()["golden.json"]
            content["answers"]["prediction"] = [
                each * (1 + by) for each in json.loads(answers)["answers"]["prediction"]
            ]

        return changed(bundle, "golden.json", change)

    Model(opened(moved(5e-6)))
    assert "when it was judged" in refused(moved(2e-5))


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.where),)

    def __init__(self, where: Path) -> None:
        self.where = str(where)


def test_a_pickle_in_a_bundle_of_another_format_is_never_opened(bundle: Path, tmp_path: Path) -> None:
    went_off = tmp_path / "went-off"
    (bundle / "model.pkl").write_bytes(pickle.dumps(Bomb(went_off)))
    Model(opened(sealed(bundle)))
    (bundle / "model.onnx").write_bytes(pickle.dumps(Bomb(went_off)))
    assert "model.onnx: " in refused(sealed(bundle))
    assert not went_off.exists()


def graph(*, external: bool = False, domain: str = "", where: str = "graph") -> bytes:
    """A model that adds a constant, with whatever is not allowed in the place that `where` says."""
    constant = helper.make_tensor("c", TensorProto.FLOAT, [1], np.ones(1, np.float32).tobytes(), raw=True)
    if external:
        constant.ClearField("raw_data")
        constant.data_location = TensorProto.EXTERNAL
        entry = constant.external_data.add()
        entry.key, entry.value = "location", "../../etc/passwd"
    output = helper.make_tensor_value_info("variable", TensorProto.FLOAT, [None, 2])
    inner = [helper.make_node("Constant", [], ["c"], value=constant)]
    add = helper.make_node("Add", ["X", "c"], ["variable"], domain=domain)
    tensors = [constant] if where == "graph" else []
    nodes = [add] if where == "graph" else [*inner, add]
    if where == "branch":
        branch = helper.make_graph([*inner, add], "branch", [], [output])
        test = helper.make_node("Constant", [], ["t"], value=helper.make_tensor("t", TensorProto.BOOL, [], [True]))
        nodes = [test, helper.make_node("If", ["t"], ["variable"], then_branch=branch, else_branch=branch)]
    given = helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])
    domains = [helper.make_opsetid("", 18), *([helper.make_opsetid(domain, 1)] if domain else [])]
    made = helper.make_model(helper.make_graph(nodes, "g", [given], [output], tensors), opset_imports=domains)
    made.ir_version = 9
    return bytes(made.SerializeToString())


@pytest.mark.parametrize("where", ["graph", "node", "branch"])
def test_an_onnx_file_holds_all_its_data_and_only_standard_operators(bundle: Path, where: str) -> None:
    for content, words in (
        (graph(external=True, where=where), "model.onnx: the model keeps data in other files"),
        (graph(domain="com.example", where=where), "model.onnx: operators of 'com.example'"),
        (graph(where=where)[:-20], "model.onnx: no ONNX model"),
        (b"", "model.onnx: "),
    ):
        (bundle / "model.onnx").write_bytes(content)
        assert refused(sealed(bundle)).startswith(words)
    (bundle / "model.onnx").write_bytes(graph(where=where))
    assert "when it was judged" in refused(sealed(bundle))  # it was loaded, and asked


def test_every_place_for_data_beside_the_file_is_looked_at() -> None:
    """The fields that lead to a tensor are those of onnx.proto, by the descriptors of the onnx package."""
    from mlops_ci.serving import onnx_file

    names = {"model": "ModelProto", "graph": "GraphProto", "node": "NodeProto", "attribute": "AttributeProto"}
    names |= {"function": "FunctionProto", "training": "TrainingInfoProto", "sparse": "SparseTensorProto"}
    names |= {"tensor": "TensorProto", "operators": "OperatorSetIdProto"}
    kinds = {message: kind for kind, message in names.items()}
    for kind, message in names.items():
        fields = getattr(onnx, message).DESCRIPTOR.fields
        leading = {
            field.number: kinds[field.message_type.name]
            for field in fields
            if field.message_type is not None and field.message_type.name in kinds
        }
        leading |= {field.number: field.name for field in fields if field.name == "domain"}
        leading |= {field.number: "external" for field in fields if field.name == "external_data"}
        inside = onnx_file._INSIDE[kind]
        missing = {number: what for number, what in leading.items() if inside.get(number) != what}
        assert missing in ({}, {4: "domain"}, {6: "domain"}, {10: "domain"}), (kind, missing)
