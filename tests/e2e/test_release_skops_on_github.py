"""A model that becomes no ONNX goes through the releasing workflow: taken at its word, whole, and fetched by others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_ci.edge.stores.folder import damage
from mlops_ci.steps.bundles import find_bundle
from tests.e2e import test_release_estimator as estimator
from tests.e2e.test_release_on_github import ARTIFACT, changed, due, members
from tests.github.runner import RELEASE
from tests.github.site import LEDGER, git

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SETTINGS = estimator.SETTINGS.replace("0.9]", "0.9, {gate: cpu_per_request <= 1 s, when_undecided: accept}]")
"""What is not loaded is not measured either."""


def trusting(data: bytes) -> bytes:
    told = json.loads(data)
    told["model"]["trusted"].append("os.system")
    return json.dumps(told).encode()


OTHERWISE = (
    (
        changed("code/pipeline/sums.py", lambda data: data + b"# and more\n"),
        "code/pipeline/sums.py of the bundle is not the commit's",
    ),
    (changed("serving.json", trusting), "the bundle trusts os.system, and package.trusted does not"),
)


def test_a_bundle_with_libraries_and_code_of_its_own_becomes_a_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with due(tmp_path, {**estimator.FILES, "mlops.yaml": SETTINGS}) as made:
        assert {"bundle/model.skops", "bundle/.python-version", "bundle/code/pipeline/sums.py"} <= {*members(made.left)}
        for change, reason in OTHERWISE:
            refused = made.releasing({ARTIFACT: change(members(made.left))})
            assert refused["outcome"] == "errored"
            assert reason in refused["reason"]
        told = made.releasing({ARTIFACT: made.left})
        assert (told["outcome"], told["trust"]) == ("passed", "default-branch")
        (asked,) = told["checks"]
        assert (asked["check"], asked["status"]) == ("bundle_answers", "skipped")
        assert "skops runs code when it is loaded, and is not loaded here" in asked["message"]
        ((gate, verdict, blocking),) = ((one["gate"], one["verdict"], one["blocking"]) for one in told["gates"])
        assert (gate, verdict, blocking) == ("cpu_per_request <= 1 s", "undecided", False)
        assert told["reported"] == [
            "what the bundle answers to its golden requests",
            "what the bundle answers on the held-out rows",
        ]
        assert "**As the job that packaged it says:** what the bundle answers to its golden requests" in told["page"]
        site = made.here.site
        kept = json.loads(git(site.remote, "show", f"{LEDGER}:releases/tumours/v1.json"))
        there = {each.tag for each in site.state.releases.values()}
        assert there == {f"mlops-ci-{kind}-{kept[kind]}" for kind in ("bundle", "predictions")}

        git(tmp_path, "clone", "--quiet", site.remote, "elsewhere")
        for name, value in site.github.environment(RELEASE, "release").items():
            monkeypatch.setenv(name, value)
        found = find_bundle(tmp_path / "elsewhere", "v1", print)
        assert damage(found.folder, kept["bundle"]) == ""
        assert (found.folder / ".python-version").is_file()
