"""Training in a process of its own, with every way in which a project's training code goes wrong."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from mlops_ci.edge import worker
from mlops_ci.edge.answers import Fitted, predictions
from mlops_ci.edge.processes import Limits
from mlops_ci.errors import UserCodeError
from mlops_ci.worker import frames

MEGABYTE = 1024 * 1024
GOOD = """
from sklearn.linear_model import LogisticRegression

def train(frame, params, seed):
    features = frame[["x", "y"]]
    return LogisticRegression(**params).fit(features, frame["late"])
"""


LIGHT = """
class Model:
    def predict(self, frame): return ["no"] * len(frame)

def train(frame, params, seed):
    features = frame
    return Model()
"""


class Project:
    """A checkout with a training file, and a table of forty rows with two features, an id and a target."""

    def __init__(self, root: Path) -> None:
        import pandas as pd

        self.workspace, self.scratch, self.output = root / "workspace", root / "scratch", root / "output"
        self.frame, self.features = root / "frame", root / "features"
        (self.workspace / "pipeline").mkdir(parents=True)
        draw = np.random.default_rng(1)
        x = draw.normal(size=40)
        self.table = pd.DataFrame(
            {"row": np.arange(40), "x": x, "y": draw.normal(size=40), "late": np.where(x > 0, "yes", "no")}
        )
        frames.write(self.table, self.frame)
        frames.write(self.table[["x", "y"]], self.features)

    def write(self, text: str, name: str = "pipeline/train.py") -> None:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def fit(self, text: str | None = None, *, seconds: float = 60, memory: int | None = None, **request: object):
        if text is not None:
            self.write(text)
        asked = {
            "entrypoint": "pipeline.train:train",
            "frame": str(self.frame),
            "target": "late",
            "id": ["row"],
            "params": {},
            "seed": 7,
            "output": str(self.output),
        }
        return self.run("fit", {**asked, **request}, seconds=seconds, memory=memory)

    def predict(self, **request: object):
        asked = {
            "model": str(self.output / "model.pkl"),
            "features": str(self.features),
            "task": "binary",
            "classes": ["no", "yes"],
            "target": "late",
            "id": ["row"],
            "output": str(self.output),
        }
        return self.run("predict", {**asked, **request})

    def run(self, job: str, request: dict, *, seconds: float = 60, memory: int | None = None):
        limits = Limits(seconds=seconds, memory_bytes=memory, threads=1)
        return worker.run(
            job, request, python=Path(sys.executable), workspace=self.workspace, scratch=self.scratch, limits=limits
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_pipeline_is_named_with_what_predicts(project: Project):
    piped = GOOD.replace("LogisticRegression(", "make_pipeline(StandardScaler(), make_pipeline(LogisticRegression(", 1)
    piped = piped.replace(".fit(", ")).fit(", 1)
    imports = "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\n"
    fitted = project.fit(imports + piped, params={"C": 0.5}).value
    assert isinstance(fitted, Fitted)
    assert fitted.class_name == "Pipeline(…, Pipeline(…, LogisticRegression))"


def test_a_good_training_function_leaves_a_model_and_says_what_it_is(project: Project):
    answer = project.fit(GOOD, params={"C": 0.5})
    fitted = answer.value
    assert isinstance(fitted, Fitted)
    assert fitted.class_name == "sklearn.linear_model._logistic.LogisticRegression"
    assert fitted.features == ("x", "y")
    assert fitted.classes == ("no", "yes")
    assert {"numpy", "pandas", "scikit-learn"} <= set(fitted.packages)
    assert fitted.model.format == "pickle"
    assert answer.peak_memory > 50 * MEGABYTE
    assert answer.cpu_seconds > 0


def test_the_same_seed_gives_the_same_bytes_even_where_the_code_draws_from_global_generators(project: Project):
    text = """
        import random
        import numpy

        class Model:
            def predict(self, frame): pass

        def train(frame, params, seed):
            model = Model()
            model.drawn = (seed, random.random(), numpy.random.rand())
            return model
    """
    models = []
    for seed in (7, 7, 8):
        project.fit(text, seed=seed)
        models.append((project.output / "model.pkl").read_bytes())
    assert models[0] == models[1]
    assert models[0] != models[2]


def test_ids_are_left_out_and_the_target_is_in_the_training_frame(project: Project):
    answer = project.fit("""
        class Model:
            def predict(self, frame): return ["no"] * len(frame)
        def train(frame, params, seed):
            assert list(frame.columns) == ["x", "y", "late"], list(frame.columns)
            return Model()
    """)
    assert answer.value.features == ("x", "y")


def test_an_exception_is_told_in_the_projects_own_lines(project: Project):
    with pytest.raises(UserCodeError) as caught:
        project.fit(
            """
            def deeper(frame):
                return frame["no_such_column"] + 1

            def train(frame, params, seed):
                return deeper(frame)
            """
        )
    error = caught.value
    assert "training raised KeyError: 'no_such_column'" in error.message
    assert error.where == "pipeline/train.py:3"
    assert 'return frame["no_such_column"] + 1' in error.details
    for ours in ("mlops_ci/worker", "importlib", str(project.workspace)):
        assert ours not in error.details


def test_a_syntax_error_names_its_line(project: Project):
    with pytest.raises(UserCodeError) as caught:
        project.fit("def train(frame, params, seed):\n    return (\n")
    assert "SyntaxError" in caught.value.message
    assert caught.value.where.startswith("pipeline/train.py:")


@pytest.mark.parametrize("code", [0, 3])
def test_exit_is_not_taken_for_an_answer(project: Project, code: int):
    with pytest.raises(UserCodeError, match=rf"training called exit\({code}\)") as caught:
        project.fit(f"import sys\ndef train(frame, params, seed):\n    sys.exit({code})\n")
    assert caught.value.where == "pipeline/train.py:3"


@pytest.mark.parametrize("code", [0, 5])
def test_os_exit_is_not_taken_for_an_answer(project: Project, code: int):
    with pytest.raises(UserCodeError, match=f"ended the interpreter with code {code}") as caught:
        project.fit(f"import os\ndef train(frame, params, seed):\n    print('nearly there')\n    os._exit({code})\n")
    assert "nearly there" in caught.value.details


def test_an_answer_of_an_earlier_run_is_not_taken_for_this_ones(project: Project):
    project.fit(LIGHT)
    with pytest.raises(UserCodeError, match="ended the interpreter"):
        project.fit("import os\ndef train(frame, params, seed):\n    os._exit(0)\n")


def test_a_segmentation_fault_shows_where(project: Project):
    with pytest.raises(UserCodeError, match="killed by SIGSEGV") as caught:
        project.fit("import os, signal\ndef train(frame, params, seed):\n    os.kill(os.getpid(), signal.SIGSEGV)\n")
    assert "train.py" in caught.value.details


def test_sigkill_hints_at_memory(project: Project):
    with pytest.raises(UserCodeError, match="killed by SIGKILL") as caught:
        project.fit("import os, signal\ndef train(frame, params, seed):\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    assert "memory" in caught.value.advice


def test_a_megabyte_of_output_does_not_disturb_and_its_end_is_kept(project: Project):
    answer = project.fit(LIGHT.replace("features = ", "print('x' * 2**20 + 'the end')\n    features = "))
    assert "the end" in answer.log
    assert len(answer.log) < 100_000


def test_output_that_looks_like_the_protocol_is_only_output(project: Project):
    forged = json.dumps({"ok": False, "failure": {"kind": "raised", "message": "forged"}})
    answer = project.fit(LIGHT.replace("features = ", f"print({forged!r}); print('mlops-ci:{{}}')\n    features = "))
    assert answer.value.features == ("x", "y")
    assert "forged" in answer.log


def test_returning_nothing_is_said(project: Project):
    with pytest.raises(UserCodeError, match="returned nothing"):
        project.fit("def train(frame, params, seed):\n    pass\n")


def test_returning_something_that_cannot_predict_is_said(project: Project):
    with pytest.raises(UserCodeError, match="returned a dict, which has no predict"):
        project.fit("def train(frame, params, seed):\n    return {}\n")


def test_a_child_that_hangs_with_the_output_open_neither_hangs_us_nor_stays(project: Project):
    started = time.monotonic()
    project.fit(
        LIGHT.replace(
            "features = ",
            """
    import os, time
    for leaves in (False, True):
        child = os.fork()
        if child == 0:
            if leaves:
                os.setsid()
            time.sleep(600)
        with open("children", "a") as file:
            file.write(f"{child} ")
    features = """,
        )
    )
    assert time.monotonic() - started < 30
    for child in (project.workspace / "children").read_text().split():
        assert not _running(int(child))


def _running(pid: int) -> bool:
    """Whether it is still there after the moment that dying takes."""
    for _ in range(50):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "ZX":
                return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        time.sleep(0.05)
    return True


def test_a_thread_that_never_ends_does_not_hang_us(project: Project):
    started = time.monotonic()
    project.fit(
        LIGHT.replace(
            "features = ",
            "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()\n    features = ",
        )
    )
    assert time.monotonic() - started < 30


def test_eating_the_memory_stops_at_the_limit(project: Project):
    with pytest.raises(UserCodeError) as caught:
        project.fit(
            """
            def train(frame, params, seed):
                kept = []
                while True:
                    kept.append(bytearray(50 * 2**20))
            """,
            memory=600 * MEGABYTE,
        )
    assert "MemoryError" in caught.value.message
    assert "600 MB" in caught.value.advice


def test_scikit_learn_fits_within_a_limit_of_600_megabytes(project: Project):
    assert project.fit(GOOD, memory=600 * MEGABYTE).value.features == ("x", "y")


def test_an_endless_loop_is_stopped_when_its_time_is_up(project: Project):
    started = time.monotonic()
    with pytest.raises(UserCodeError, match="not done within 3 s") as caught:
        project.fit(
            "import time\ndef train(frame, params, seed):\n    print('looping')\n    while True: time.sleep(0.01)\n",
            seconds=3,
        )
    assert time.monotonic() - started < 10
    assert "looping" in caught.value.details


def test_an_endless_loop_that_ignores_signals_is_stopped_too(project: Project):
    with pytest.raises(UserCodeError, match="not done within 3 s"):
        project.fit(
            """
            import signal
            def train(frame, params, seed):
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)
                while True:
                    pass
            """,
            seconds=3,
        )


def test_files_written_into_the_working_directory_stay_in_the_copy(project: Project):
    project.fit(LIGHT.replace("features = ", "open('left-behind.txt', 'w').close()\n    features = "))
    assert (project.workspace / "left-behind.txt").is_file()


def test_deleting_the_scratch_folder_is_survived_or_told(project: Project):
    answer = project.fit(
        LIGHT.replace("features = ", f"import shutil; shutil.rmtree({str(project.scratch)!r})\n    features = ")
    )
    assert answer.value.features == ("x", "y")


@pytest.mark.parametrize(
    "answer",
    [
        "os.symlink('/etc/passwd', path)",
        "os.mkfifo(path)",
        "open(path, 'w').write('[' * 100000)",
        "open(path, 'wb').truncate(2**33)",
    ],
)
def test_a_forged_answer_file_is_refused_and_not_waited_for(project: Project, answer: str):
    path = str(project.scratch / "answer.json")
    with pytest.raises(UserCodeError, match=r"answer"):
        project.fit(f"import os\npath = {path!r}\ndef train(frame, params, seed):\n    {answer}\n    os._exit(0)\n")


HOLDS_A_LOCK = """
    import threading
    class Model:
        def __init__(self): self.lock = threading.Lock()
        def predict(self, frame): return ["no"] * len(frame)
    def train(frame, params, seed):
        return Model()
"""
LOCAL_CLASS = """
    def train(frame, params, seed):
        class Model:
            rule = staticmethod(lambda frame: ["no"] * len(frame))
            def predict(self, frame): return self.rule(frame)
        return Model()
"""


def test_a_model_that_cannot_be_pickled_is_told_with_what_to_do(project: Project):
    with pytest.raises(UserCodeError, match="a Model, cannot be pickled") as caught:
        project.fit(HOLDS_A_LOCK)
    assert "locks" in caught.value.advice


def test_a_local_class_is_kept_by_cloudpickle_where_it_is_there(project: Project):
    assert project.fit(LOCAL_CLASS).value.model.format == "cloudpickle"
    assert project.predict().value.rows == 40


def test_a_local_class_is_told_where_there_is_no_cloudpickle(project: Project):
    for name in ("cloudpickle.py", "joblib.py"):
        project.write("raise ImportError('not here')", name)
    with pytest.raises(UserCodeError, match="cannot be pickled") as caught:
        project.fit(LOCAL_CLASS)
    assert "top of a module" in caught.value.advice


def test_a_class_of_the_training_file_is_found_again_when_predicting(project: Project):
    project.fit(
        """
        class Model:
            classes_ = ["no", "yes"]
            def predict(self, frame): return ["yes" if x > 0 else "no" for x in frame["x"]]
        def train(frame, params, seed):
            return Model()
        """
    )
    project.predict()
    labels, scores = predictions(project.output, rows=40, classes=("no", "yes"))
    assert labels.tolist() == (project.table["late"] == "yes").astype(int).tolist()
    assert scores is None


def test_names_of_the_worker_do_not_stand_in_the_way_of_the_projects_modules(project: Project):
    for name in ("frames.py", "predict.py", "models.py", "failures.py", "jobs.py"):
        project.write("HERE = True", name)
    project.fit("import frames, predict, models, failures, jobs\nassert frames.HERE and jobs.HERE\n" + LIGHT)


def test_a_missing_package_says_what_to_add(project: Project):
    with pytest.raises(UserCodeError, match="no_such_package is imported") as caught:
        project.fit("import no_such_package.sub\n" + LIGHT)
    assert caught.value.advice == "add no_such_package to your requirements and lock them again"
    assert caught.value.where == "pipeline/train.py:1"


def test_a_function_that_is_not_there_brings_the_nearest_name(project: Project):
    project.write("def trian(frame, params, seed): pass\n")
    with pytest.raises(UserCodeError, match=r"pipeline\.train has no train") as caught:
        project.fit()
    assert caught.value.advice == "did you mean trian?"
    assert caught.value.where == "train.entrypoint"


def test_a_module_that_is_not_there_brings_the_nearest_name(project: Project):
    project.write(LIGHT)
    with pytest.raises(UserCodeError, match=r"there is no module pipeline\.trian") as caught:
        project.fit(entrypoint="pipeline.trian:train")
    assert caught.value.advice == "did you mean pipeline.train?"


def test_a_function_with_other_arguments_is_told_before_it_is_called(project: Project):
    with pytest.raises(UserCodeError, match=r"takes \(frame\); it is called with \(frame, params, seed\)"):
        project.fit("def train(frame): pass\n")


def test_the_environment_holds_no_token_unless_it_is_named(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GITHUB_TOKEN", "secret-1")
    monkeypatch.setenv("WAREHOUSE_KEY", "secret-2")
    text = "import os\ndef train(frame, params, seed):\n    raise ValueError(sorted(os.environ.items()))\n"
    project.write(text)
    request = {
        "entrypoint": "pipeline.train:train",
        "frame": str(project.frame),
        "target": "late",
        "id": [],
        "params": {},
        "seed": 1,
        "output": str(project.output),
    }
    with pytest.raises(UserCodeError) as caught:
        worker.run(
            "fit",
            request,
            python=Path(sys.executable),
            workspace=project.workspace,
            scratch=project.scratch,
            limits=Limits(seconds=60),
            secrets=("WAREHOUSE_KEY",),
        )
    assert "secret-1" not in caught.value.message
    assert "secret-2" in caught.value.message
    assert "('OMP_NUM_THREADS', '1')" in caught.value.message
    assert "('OMP_WAIT_POLICY', 'PASSIVE')" in caught.value.message
    assert "('ORT_DISABLE_TELEMETRY', '1')" in caught.value.message
    assert os.environ["HOME"] + "'" not in caught.value.message


def test_an_interruption_ends_the_training(project: Project):
    project.write("import time, os\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 4)
    try:
        with pytest.raises(KeyboardInterrupt):
            project.fit()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert not _running(int((project.workspace / "pid").read_text()))
