"""An mlops.yaml, or a file it names, that cannot be used: exit code 2 with the line, before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.bad_input import SETTINGS, Golden, bad, project, recovers

BOMB = "a: &a [lol, lol]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b]\n"
CASES: dict[str, str | bytes] = {
    "empty": "",
    "only-comments": "# nothing yet\n",
    "yaml-bomb": BOMB + SETTINGS,
    "yaml-tag": SETTINGS.replace("project: rain", "project: !!python/object/apply:os.system [id]"),
    "yaml-tabs": SETTINGS.replace("  target: late", "\ttarget: late"),
    "yaml-deep": SETTINGS + "watch: " + "[" * 5000 + "]" * 5000 + "\n",
    "yaml-broken": SETTINGS.replace("id: [trip]", "id: [trip"),
    "yaml-two-documents": SETTINGS + "---\n" + SETTINGS,
    "yaml-large": SETTINGS + "# " + "x" * 1_100_000 + "\n",
    "a-list": "- version: 1\n",
    "other-encoding": SETTINGS.replace("rain", "Zürich").encode("latin-1"),
    "utf-16": SETTINGS.encode("utf-16"),
    "nul-byte": SETTINGS.replace("rain", "ra\0in"),
    "unknown-key": SETTINGS.replace("target: late", "targte: late"),
    "unknown-key-twice": SETTINGS + "gates: []\n",
    "wrong-type": SETTINGS.replace("{by: id, holdout: 30%}", "thirty"),
    "wrong-value": SETTINGS.replace("holdout: 30%", "holdout: 130%"),
    "missing-key": SETTINGS.replace("task: classification\n", ""),
    "newer-version": SETTINGS.replace("version: 1", "version: 2"),
    "gate-unreadable": SETTINGS.replace("accuracy >= 0.6", "accuracy => 0.6"),
    "gate-unknown-metric": SETTINGS.replace("accuracy >= 0.6", "acuracy >= 0.6"),
    "gate-of-an-environment": SETTINGS + "environments: {production: {gates: [acuracy >= 0.6]}}\n",
    "source-outside": SETTINGS.replace("data/trains.csv", "../trains.csv"),
    "column-unknown": SETTINGS.replace("slices: [town]", "slices: [city]"),
    "target-not-there": SETTINGS.replace("target: late", "target: delayed"),
    "id-not-there": SETTINGS.replace("id: [trip]", "id: [trip, day]"),
    "entrypoint-not-one": SETTINGS.replace("pipeline.train:train", "pipeline/train.py"),
}


@pytest.mark.parametrize("name", CASES)
def test_settings_that_cannot_be_used_name_the_line_what_was_found_and_what_to_do(
    tmp_path: Path, golden: Golden, name: str
) -> None:
    made = project(tmp_path)
    made.commit({"mlops.yaml": CASES[name]})
    told = bad(made, f"settings-{name}", golden, code=2)
    error = told.document["error"]
    assert error["where"].startswith("mlops.yaml")
    assert error["message"]
    assert error["advice"]
    recovers(made)


FILES: dict[str, dict[str, str | bytes | None]] = {
    "params-gone": {"params.yaml": None},
    "params-broken": {"params.yaml": "limit: [5\n"},
    "params-other-encoding": {"params.yaml": "name: Zürich\n".encode("latin-1")},
    "contract-broken": {"data/contract.yaml": "version: 1\ncolumns:\n  rain: {kind: flaot}\n"},
    "contract-other-encoding": {"data/contract.yaml": "# Zürich\n".encode("latin-1")},
    "contract-empty": {"data/contract.yaml": ""},
    "prepare-gone": {"mlops.yaml": SETTINGS.replace("  target", "  prepare: pipeline/prepare.sql\n  target")},
    "lock-without-hashes": {"requirements.lock": "pandas==3.0.0\n"},
    "python-version": {"requirements.lock": "", ".python-version": b"3.12 ; rm -rf \xff\n"},
    "pyproject-broken": {"requirements.lock": "", "pyproject.toml": "[project\n"},
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_settings_name_and_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, golden: Golden, name: str
) -> None:
    made = project(tmp_path)
    made.commit(FILES[name])
    told = bad(made, f"file-{name}", golden, code=2)
    assert told.document["error"]["where"]
    recovers(made)


def test_a_contract_that_is_broken_at_the_base_can_be_mended(tmp_path: Path) -> None:
    made = project(tmp_path)
    made.commit(FILES["contract-broken"])
    assert made.run("check").code == 2
    made.commit({"data/contract.yaml": None})
    told = made.run("check", "--json")
    assert told.code == 0, told.err
    assert told.document["judge"]["source"] == "head"
    assert "data/contract.yaml:3" in told.document["judge"]["differences"][0]
    recovers(made)
