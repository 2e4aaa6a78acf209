"""A train.py, a model and model tests that misbehave: a decision that could not be judged, told in the user's lines."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from tests.e2e.bad_input import (
    SETTINGS,
    TRAIN,
    Golden,
    Project,
    assert_whole,
    bad,
    project,
    recovers,
    text_of,
)
from tests.helpers import git

OURS = ("mlops_ci", "_mlops_ci_worker", "worker/", "runpy", "importlib")


def _trains(body: str, head: str = "") -> str:
    """A train.py whose function does that."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{head}\n\n{TRAIN.partition('def train')[0]}def train(frame, params, seed):\n{lines}"


def _model(method: str) -> str:
    """A train.py whose model has that `predict`."""
    train = "def train(frame, params, seed):\n    return Rule()\n"
    return f"class Rule:\n    classes_ = [0, 1]\n\n    {method}\n\n\n{train}"


def _judge(made: Project, golden: Golden, name: str, code: str) -> str:
    """Check with that train.py; the report."""
    made.commit({"pipeline/train.py": code})
    told = bad(made, f"code-{name}", golden, code=11)
    report = made.report(told)
    details = [result["details"] for result in told.document["checks"] if result["status"] == "errored"]
    assert details
    for text in (*details, report.partition("## How this was made")[0]):
        assert not [word for word in OURS if f'File "{word}' in text or f"/{word}/" in text], text
    recovers(made)
    return report


RAISING = {
    "raises": _trains('raise ValueError("rain is not enough")'),
    "raises-while-handling": _trains(
        "try:\n    {}['limit']\nexcept KeyError as error:\n    raise ValueError('no limit') from error"
    ),
    "raises-at-import": "import json\n\njson.loads('{')\n",
    "does-not-parse": "def train(frame, params, seed)\n    return None\n",
    "package-missing": "import not_a_package_at_all\n",
    "recursion": _trains("return train(frame, params, seed)"),
    "hostile-message": _trains(
        'raise ValueError("\\x1b[31m | <script>alert(1)</script> ${{ secrets.X }} ::error::x 🚆")'
    ),
    "interrupts": _trains("raise KeyboardInterrupt"),
}
ENDING = {
    "exits": _trains("import sys\nsys.exit(3)"),
    "exits-at-once": _trains("import os\nos._exit(0)"),
    "kills-itself": _trains("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
    "crashes": _trains("import ctypes\nctypes.string_at(0)"),
}
UNUSABLE = {
    "returns-nothing": _trains("frame"),
    "returns-a-frame": _trains("return frame.describe()"),
    "function-not-there": "def fit(frame, params, seed):\n    return None\n",
    "other-arguments": "def train(frame):\n    return None\n",
    "cannot-be-pickled": _trains("import threading\nmodel = Rule(1)\nmodel.lock = threading.Lock()\nreturn model"),
    "predict-raises": _model("def predict(self, frame): return frame['snow'] > 1"),
    "predict-too-few": _model("def predict(self, frame): return [0]"),
    "predict-none": _model("def predict(self, frame): return None"),
    "predict-text": _model("def predict(self, frame): return ['late'] * len(frame)"),
    "predict-nan": _model("def predict(self, frame): return [float('nan')] * len(frame)"),
    "proba-not-probabilities": _model(
        "def predict(self, frame): return [0] * len(frame)\n\n"
        "    def predict_proba(self, frame): return [[7.0, -6.0]] * len(frame)"
    ),
    "predict-exits": _model("def predict(self, frame): raise SystemExit"),
}


@pytest.mark.parametrize("name", RAISING)
def test_code_that_raises_is_told_with_its_own_traceback(tmp_path: Path, golden: Golden, name: str) -> None:
    report = _judge(project(tmp_path), golden, name, RAISING[name])
    assert "pipeline/train.py" in report


@pytest.mark.parametrize("name", ENDING)
def test_code_that_ends_the_interpreter_is_told_so(tmp_path: Path, golden: Golden, name: str) -> None:
    _judge(project(tmp_path), golden, name, ENDING[name])


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_model_that_cannot_be_used_says_what_was_expected(tmp_path: Path, golden: Golden, name: str) -> None:
    _judge(project(tmp_path), golden, name, UNUSABLE[name])


def test_a_megabyte_of_print_does_not_reach_the_terminal_or_the_report(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    loud = _trains("for line in range(20_000):\n    print('x' * 60, line)\nraise ValueError('after all that')")
    report = _judge(made, golden, "prints-a-megabyte", loud)
    assert len(report) < 100_000
    quiet = _trains("for line in range(20_000):\n    print('x' * 60, line)\nreturn Rule(5.0)")
    made.commit({"pipeline/train.py": quiet})
    ran = made.run("check")
    assert ran.code == 0
    assert "xxxx" not in ran.out + ran.err


def test_code_that_forks_and_hangs_is_stopped_with_its_children(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    marks = tmp_path / "pids"
    hanging = _trains(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n"
        f"open({str(marks)!r}, 'a').write(f'{{os.getpid()}}\\n')\ntime.sleep(600)"
    )
    made.commit({"mlops.yaml": SETTINGS + "runner: {timeout: 3s}\n", "pipeline/train.py": hanging})
    started = time.monotonic()
    bad(made, "code-forks-and-hangs", golden, code=11)
    assert time.monotonic() - started < 60
    pids = [int(line) for line in marks.read_text().split()]
    assert len(pids) == 4  # two runs, each with a child that left the group
    assert not [pid for pid in pids if _lives(pid)]
    recovers(made)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def test_code_that_eats_the_memory_is_told_how_much_there_is(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    made.commit({"pipeline/train.py": _trains("eaten = []\nwhile True:\n    eaten.append(bytearray(2**26))")})
    ran = made.finish(made.start("check", within=_with_a_gigabyte))
    assert ran.code == 11, ran.err
    assert "it may use 512 MB" in ran.err  # half of what the tool itself was given
    golden("bad-input/code-eats-memory.txt", text_of(made, ran))
    assert_whole(made)
    recovers(made)


def _with_a_gigabyte() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))


def test_code_that_writes_into_the_repository_writes_into_a_copy(tmp_path: Path, golden: Golden) -> None:
    made = project(tmp_path)
    writing = _trains(
        "import pathlib\n"
        "for name in ('params.yaml', 'mlops.yaml', 'tests/model/test_behaviour.py', 'new.txt', '.git/x'):\n"
        "    pathlib.Path(name).parent.mkdir(parents=True, exist_ok=True)\n    pathlib.Path(name).write_text('gone')\n"
        "return Rule(5.0)"
    )
    made.commit({"pipeline/train.py": writing})
    bad(made, "code-writes-into-the-repository", golden, code=0)
    assert not (made.root / "new.txt").exists()
    recovers(made)


@pytest.mark.parametrize("file", ["data/trains.csv", "params.yaml"])
def test_code_that_writes_past_its_copy_leaves_no_decision_about_either(
    tmp_path: Path, golden: Golden, file: str
) -> None:
    made = project(tmp_path)
    writing = f"import pathlib\npathlib.Path({str(made.root / file)!r}).write_text('limit: 1')\nreturn Rule(5.0)"
    made.commit({"pipeline/train.py": _trains(writing)})
    before = git(made.root, "for-each-ref")
    ran = made.run("check", "--json")
    assert ran.code == 3, ran.err
    golden(f"bad-input/code-writes-past-its-copy-{Path(file).stem}.txt", text_of(made, ran))
    assert git(made.root, "for-each-ref") == before
    git(made.root, "checkout", "--quiet", ".")
    made.lay({"notes.txt": "a tree that was dirty before\n"})
    assert made.run("check").code == 3
    assert_whole(made)
    recovers(made)


TESTS = {
    "raises": "def test_one(predict):\n    raise RuntimeError('broken')\n",
    "fixture": "import pytest\n\n\n@pytest.fixture\ndef table():\n    raise OSError('no table')\n\n\n"
    "def test_one(table):\n    pass\n",
    "import": "import not_a_package_at_all\n",
    "exits": "import os\n\n\ndef test_one():\n    os._exit(3)\n\n\ndef test_two():\n    pass\n",
    "segfault": "import ctypes\n\n\ndef test_one():\n    ctypes.string_at(0)\n",
}


@pytest.mark.parametrize(("name", "code"), list(zip(TESTS, (10, 11, 11, 11, 11), strict=True)))
def test_a_model_test_that_crashes_is_named(tmp_path: Path, golden: Golden, name: str, code: int) -> None:
    made = project(tmp_path)
    made.commit({"tests/model/test_behaviour.py": TESTS[name]})  # judged by base: only from the next commit on
    made.run("check")
    made.commit({"pipeline/train.py": TRAIN + "\n# another\n"})
    told = bad(made, f"model-test-{name}", golden, code=code)
    failed = [result for result in told.document["checks"] if result["status"] in ("failed", "errored")]
    assert failed[0]["check"].startswith("test_behaviour.py")
    assert all("/worker/" not in result["details"] for result in failed)
    recovers(made)


def test_a_model_test_that_ended_the_interpreter_is_asked_again(tmp_path: Path) -> None:
    made = project(tmp_path)
    there = tmp_path / "there"
    flaky = f"import os\n\n\ndef test_one():\n    os.path.exists({str(there)!r}) or os._exit(3)\n"
    made.commit({"tests/model/test_behaviour.py": flaky})
    made.commit({"pipeline/train.py": TRAIN + "\n# another\n"})
    assert made.run("check").code == 11
    there.touch()
    assert made.run("check").code == 0
    recovers(made)
