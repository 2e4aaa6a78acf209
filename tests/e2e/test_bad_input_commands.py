"""Every command on every broken project: never our bug, one document with --json, and nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.bad_input import COLUMNS, SETTINGS, Golden, assert_whole, csv_text, files_of, project, rows, text_of
from tests.helpers import git

COMMANDS = (
    ("config", "--json"),
    ("doctor", "--json"),
    ("history", "--json"),
    ("report", "--json"),
    ("rows", "--json", "--flipped", "worse"),
    ("data", "profile", "--json"),
    ("data", "diff", "--json"),
    ("data", "contract", "--json"),
    ("data", "validate", "--json"),
    ("gates", "plan", "--json"),
    ("workflows", "--json"),
    ("waive", "--json", "7", "--reason", "x", "--until", "2020-01-01"),
    ("init", "--json", "--data", "data/trains.csv", "--target", "late"),
    ("record", "--json", ".mlops-ci/runs"),
)
BROKEN: dict[str, dict[str, str | bytes | None]] = {
    "settings-empty": {"mlops.yaml": ""},
    "settings-gone": {"mlops.yaml": None},
    "gate-unreadable": {"mlops.yaml": SETTINGS.replace("accuracy >=", "accuracy =>")},
    "source-missing": {"data/trains.csv": None},
    "source-other-encoding": {
        "data/trains.csv": csv_text([[*rows()[0][:1], "Köln", *rows()[0][2:]]]).encode("latin-1")
    },
    "source-lfs": {"data/trains.csv": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"},
    "target-missing": {"data/trains.csv": csv_text([line[:4] for line in rows()], COLUMNS[:4])},
    "target-constant": {"data/trains.csv": csv_text([[*line[:4], "1"] for line in rows()])},
    "one-row": {"data/trains.csv": csv_text(rows(1))},
    "params-broken": {"params.yaml": b"\xff"},
    "contract-broken": {"data/contract.yaml": b"\xff"},
    "lock-without-hashes": {"requirements.lock": "pandas\n"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_command_stumbles_over_a_broken_project(tmp_path: Path, name: str) -> None:
    made = project(tmp_path)
    made.commit(BROKEN[name])
    before, refs = files_of(made.root), git(made.root, "for-each-ref")
    for words in COMMANDS:
        if words[0] == "init" and name == "settings-gone":
            continue  # that one may write
        ran = made.run(*words)
        assert ran.code in (0, 2, 3, 10, 11), f"{words}: {ran.err}"
        assert isinstance(ran.document, dict), words
        assert ran.code not in (2, 3, 11) or ran.document["error"]["message"], words
    assert made.run().code in (0, 2)
    assert files_of(made.root) == before
    assert git(made.root, "for-each-ref") == refs
    assert_whole(made)


USAGE = {
    "unknown-command": ("chekc",),
    "unknown-option": ("check", "--bse", "main"),
    "unknown-choice": ("check", "--only", "tests"),
    "predictions-not-there": ("check", "--predictions", "nowhere.csv"),
    "model-not-there": ("check", "--model", "nowhere.pkl"),
    "decision-not-there": ("report", "ffffffff"),
    "decision-not-hex": ("report", "../../etc"),
    "run-not-there": ("record", "nowhere"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_says_what_is_allowed(tmp_path: Path, golden: Golden, name: str) -> None:
    made = project(tmp_path)
    ran = made.run(*USAGE[name], "--json")
    assert ran.code == 2, ran.err
    assert ran.document["error"]["message"]
    golden(f"bad-input/usage-{name}.txt", text_of(made, ran).partition("--- stdout")[0])
    assert_whole(made)
