"""`disclose: verdict` on a pull request: nothing that anybody can read there tells of the rows that are kept."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from mlops_ci.ledger import arrays
from tests.e2e.bad_input import GOOD, csv_text
from tests.e2e.scene import BETTER, Scene, first
from tests.e2e.test_verdict_only import CLAIMS, PROMISED, kept_for_verdicts, plain_text, with_labels
from tests.github.site import LEDGER, git

ONE_ANSWER = "rain: undecided. Accuracy: not passed; one answer for all @ gates, and nothing else is told of their rows"


def test_what_is_shown_is_the_same_whatever_the_kept_rows_say(tmp_path: Path) -> None:
    """The model is wrong about all of them, about every other, or nothing can be computed there."""
    shown = {}
    for label in ("wrong", "half", "none"):
        data = csv_text(with_labels(kept_for_verdicts(), label))
        files = {**GOOD, "mlops.yaml": CLAIMS + PROMISED, "data/trains.csv": data}
        with first(tmp_path / label, files) as here:
            shown[label] = _shown(here)
    assert shown["wrong"].keys() == shown["half"].keys() == shown["none"].keys()
    for name, text in shown["wrong"].items():
        assert text == shown["half"][name] == shown["none"][name], name
    assert shown["wrong"]["status"] == ONE_ANSWER
    for name in ("log of run", "page of run", "comment", "page of record"):
        assert "one answer for all @ gates" in shown["wrong"][name], name
    assert sum(name.startswith("handed/") for name in shown["wrong"]) > 5
    assert sum(name.startswith("left/") for name in shown["wrong"]) > 5


def test_one_answer_that_says_passed_waits_for_an_owner_and_tells_no_more(tmp_path: Path) -> None:
    data = csv_text(with_labels(kept_for_verdicts(), "right"))
    with first(tmp_path, {**GOOD, "mlops.yaml": CLAIMS + PROMISED, "data/trains.csv": data}) as here:
        shown = _shown(here)
        listed = git(here.site.remote, "ls-tree", "-r", "--name-only", LEDGER).splitlines()
        paths = [path for path in listed if path.endswith("/decision.json")]
        decisions = [json.loads(git(here.site.remote, "show", f"{LEDGER}:{path}"))["predicate"] for path in paths]
    assert shown["status"].startswith("rain: undecided. An owner has to agree: the one answer about the rows")
    [decision] = [one for one in decisions if one["trust"] == "pull-request"]
    gates = {one["gate"]: one for one in decision["gates"]}
    for name in ("accuracy >= 0.6 @ 95%", "recall >= 0.5 @ 95%"):
        told = gates[name]
        assert told["verdict"] == "passed"
        assert {told[key] for key in ("observed", "low", "high", "rows", "candidate", "champion")} == {None}


def _shown(here: Scene) -> dict[str, str]:
    """Everything of a pull request that somebody can look at, by where it is, without digests and times."""
    head, event = here.pull(7, BETTER), here.site.on_pull_request(7)
    ran, left = here.jobs.checked(event, "rain", ".")
    run = here.site.finished(event, "failure", {"mlops-run-rain": left})
    with zipfile.ZipFile(io.BytesIO(left)) as archive:
        found = {f"left/{name}": archive.read(name) for name in archive.namelist()}
    with here.jobs.judged(run) as (judge, handed):
        found |= {
            f"handed/{path.relative_to(handed)}": path.read_bytes() for path in handed.rglob("*") if path.is_file()
        }
        record = here.jobs.recorded(run, handed)
    for name in git(here.site.remote, "ls-tree", "-r", "--name-only", LEDGER).splitlines():
        if not name.endswith(".npy"):
            found[f"ledger/{_whose(here, name, head)}{name}"] = git(
                here.site.remote, "show", f"{LEDGER}:{name}"
            ).encode()
    texts = {
        "log of run": ran.out,
        "page of run": ran.summary,
        "log of judge": judge.out,
        "log of record": record.out,
        "page of record": record.summary,
        "comment": here.comment(7).body,
        "status": here.told(head)[1],
    }
    told = {name: plain_text(text) for name, text in texts.items()}
    for name, data in found.items():
        if name.endswith(".npy"):
            told[plain_text(name)] = str(arrays.decode(data, name=name).tolist())
        elif not name.endswith("run.json"):
            told[plain_text(name)] = plain_text(data.decode())
    return told


def _whose(here: Scene, name: str, head: str) -> str:
    """Which decision a file of the ledger is of: without digests those of two commits have one name."""
    if not name.startswith("decisions/"):
        return ""
    folder = "/".join(name.split("/")[:5])
    decision = json.loads(git(here.site.remote, "show", f"{LEDGER}:{folder}/decision.json"))["predicate"]
    return "head/" if decision["subject"]["commit"] == head else "before/"
