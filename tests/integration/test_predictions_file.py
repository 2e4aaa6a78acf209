"""Predictions from a file: its ids are the data's however they are written, and `rows --holdout` says which to give."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.helpers import commit, repo
from tests.helpers import run_json as run

SETTINGS = """version: 1
project: sales
task: regression
data:
  sources: {sales: sales.csv}
  prepare: prepare.sql
  target: sold
  id: [day, shop, till]
train: {predictions: predictions.csv}
gates:
  - mae <= 3
  - mae - champion.mae <= 0.5
"""
PREPARE = "SELECT day::DATE AS day, shop || '.10' AS shop, till, stock, sold FROM sales\n"


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    lines = ["day,shop,till,stock,sold"]
    lines += [f"2024-{n % 100 // 28 + 1:02}-{n % 28 + 1:02},{n // 100 + 1},{n % 7},{n},{n % 50}" for n in range(400)]
    files = {"mlops.yaml": SETTINGS, "prepare.sql": PREPARE, "sales.csv": "\n".join(lines) + "\n"}
    return repo(tmp_path / "sales", files | {".gitignore": ".mlops-ci/\npredictions.csv\n"})


def test_the_held_out_rows_are_listed_before_anything_was_predicted(sales: Path) -> None:
    listed = run(sales, "rows", "--holdout")
    assert listed["columns"] == ["day", "shop", "till", "stock", "sold"]
    assert 40 < len(listed["rows"]) < 140
    run(sales, "check", code=11)
    assert run(sales, "rows", "--holdout") == listed, "a decision that ended without predictions changes nothing"
    run(sales, "rows", "--holdout", "--csv", "rows.csv")
    with (sales / "rows.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [listed["columns"], *listed["rows"]]
    assert "nothing has been decided" not in json.dumps(run(sales, "rows", code=2))


@pytest.mark.parametrize("written", [("{day}", "{shop}", "{till}"), ("{slashes} 00:00:00", "{shop}", "{till}.0")])
def test_ids_are_found_however_they_are_written(sales: Path, written: tuple[str, str, str]) -> None:
    rows = run(sales, "rows", "--holdout")["rows"]
    lines = ["day,shop,till,prediction"]
    for day, shop, till, _, sold in rows:
        cells = [form.format(day=day, slashes=day.replace("-", "/"), shop=shop, till=till) for form in written]
        lines.append(",".join([*cells, str(int(sold) + 1)]))
    (sales / "predictions.csv").write_text("\n".join(lines) + "\n")
    said = run(sales, "check")
    first = said["gates"][0]
    assert (first["observed"], first["rows"]) == (1.0, len(rows))
    assert run(sales, "rows", "--holdout")["columns"][:2] == ["truth", "predicted"]


def test_ids_that_are_none_are_told_by_kind_and_never_written_down(sales: Path) -> None:
    rows = run(sales, "rows", "--holdout")["rows"]
    lines = ["day,shop,till,prediction", *(f"{day},{shop},till-{till},{sold}" for day, shop, till, _, sold in rows)]
    (sales / "predictions.csv").write_text("\n".join(lines) + "\n")
    said = run(sales, "check", code=11)
    (refused,) = [one for one in said["checks"] if one["check"] == "predictions"]
    count = len(rows)
    assert refused["message"] == (
        f"{count} of {count} held-out rows have no prediction: {count} values of till are no integer"
    )
    assert refused["part"] == "model"
    report = Path(said["reports"]["markdown"]).read_text()
    assert "**The data:** passed" in report
    assert "till-" not in report + json.dumps(said)


def test_one_file_twice_is_one_model(sales: Path) -> None:
    rows = run(sales, "rows", "--holdout")["rows"]
    lines = ["day,shop,till,prediction", *(",".join([*row[:3], row[4]]) for row in rows)]
    (sales / "predictions.csv").write_text("\n".join(lines) + "\n")
    said = run(sales, "check")
    kept = json.loads((Path(said["reports"]["markdown"]).parent / "evidence" / "evidence.json").read_text())
    digest = kept["training"]["digest"]
    assert len(digest) == 64
    commit(sales, {"README.md": "Sales\n"}, "Say what it is")
    again = run(sales, "check")
    assert again["champion"]["model"] == digest
