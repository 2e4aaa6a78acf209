"""The targets of a bundle, each asked through the client that its platform has: one row by name, one answer."""

from __future__ import annotations

import contextlib
import csv
import http.client
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mlops_ci.edge import environment
from mlops_ci.serving.errors import RefusedFrameError
from mlops_ci.serving.pyfunc import _load_pyfunc
from tests.environments import OURS, python_with
from tests.serving_client import running, until

SERVING = Path(__file__).parents[1] / "mlops_ci" / "serving"
# As it is before a test's own HOME: environments are made once.
Row = dict[str, Any]


class Answer(NamedTuple):
    """What became of a request: rows of answers, or the code and the column of what was wrong."""

    rows: list[Row] | None
    code: str = ""
    column: str = ""


Ask = Callable[[list[Row]], Answer]


def answer(found: dict[str, Any]) -> Answer:
    """What `/invocations` answers."""
    if "error" in found:
        return Answer(None, found["error"]["code"], _column(found["error"]["where"]))
    return Answer(found["predictions"])


def _column(where: str) -> str:
    return (re.search(r"column (.*)$", where) or ("", ""))[1]


@contextlib.contextmanager
def server(bundle: Path, folder: Path) -> Iterator[Ask]:
    """`python -m mlops_ci_serving`."""
    with running(bundle) as process:
        yield lambda rows: answer(process.post({"dataframe_records": rows}).json())


@contextlib.contextmanager
def pyfunc(bundle: Path, folder: Path) -> Iterator[Ask]:
    """What MLflow loads."""
    model = _load_pyfunc(str(bundle))

    def ask(rows: list[Row]) -> Answer:
        try:
            return Answer(model.predict(pd.DataFrame(rows, dtype=object)).to_dict("records"))
        except RefusedFrameError as error:
            return Answer(None, error.code, _column(error.where))

    yield ask


@contextlib.contextmanager
def score(bundle: Path, folder: Path) -> Iterator[Ask]:
    """`mlops-ci score`, of CSV, which can hold what a row of JSON can."""

    def ask(rows: list[Row]) -> Answer:
        names = list(dict.fromkeys(name for row in rows for name in row))
        with (folder / "in.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
        command = [sys.executable, "-m", "mlops_ci", "score", str(bundle), "in.csv", "out.csv", "--overwrite", "--json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        found = json.loads(done.stdout)
        return answer(found) if "error" in found else Answer(pd.read_csv(folder / "out.csv").to_dict("records"))

    yield ask


class RuntimeApi:
    """AWS Lambda's Runtime API on 127.0.0.1 (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)."""

    def __init__(self) -> None:
        self.events: queue.Queue[bytes | None] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.path == "/2018-06-01/runtime/invocation/next"
                event = api.events.get()
                if event is None:
                    self.close_connection = True
                    return
                self._answer(
                    200,
                    event,
                    {
                        "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                        "Lambda-Runtime-Deadline-Ms": "4102444800000",
                        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:x",
                        # Without it the client ends with a segmentation fault; Lambda always sends it.
                        "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
                        "Content-Type": "application/json",
                    },
                )

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                api.answers.put((self.path.rpartition("/")[2], json.loads(body)))
                self._answer(202, b"{}", {})

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def invoke(self, event: Any) -> Any:
        """What the function answers to an event."""
        self.events.put(json.dumps(event).encode())
        kind, found = self.answers.get(timeout=20)
        assert kind == "response", found
        return found


@contextlib.contextmanager
def invoked(task: Path, handler: str, **variables: str) -> Iterator[RuntimeApi]:
    """The function in the folder `task`, run by AWS's own runtime client as Lambda runs it."""
    python = environment.resolve(SERVING / "aws", OURS, say=lambda text: None).python
    api = RuntimeApi()
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    told = {
        **known,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.server_port}",
        "LAMBDA_TASK_ROOT": str(task),
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
    }
    with subprocess.Popen([python, "-m", "awslambdaric", handler], cwd=task, env=told) as process:
        try:
            yield api
        finally:
            process.kill()
            api.events.put(None)
            api.server.shutdown()


@contextlib.contextmanager
def lambda_zip(bundle: Path, folder: Path) -> Iterator[Ask]:
    """The zip that `package lambda` makes, unpacked."""
    python = environment.resolve(SERVING / "aws", OURS, say=lambda text: None).version
    package("lambda", bundle, folder / "function.zip", "--python", python.rpartition(".")[0])
    with zipfile.ZipFile(folder / "function.zip") as archive:
        archive.extractall(folder / "task")
    with invoked(folder / "task", "lambda_function.lambda_handler") as api:
        yield lambda rows: answer(api.invoke({"dataframe_records": rows}))


@contextlib.contextmanager
def functions(bundle: Path, folder: Path) -> Iterator[Ask]:
    """The folder that `package functions` makes, served by the Functions Framework."""
    with framework(bundle, folder) as port:

        def ask(rows: list[Row]) -> Answer:
            return answer(json.loads(request(port, "/invocations", json.dumps({"dataframe_records": rows}))[1]))

        yield ask


@contextlib.contextmanager
def framework(bundle: Path, folder: Path) -> Iterator[int]:
    """The port of the Functions Framework with the bundle's function."""
    package("functions", bundle, folder / "function")
    (folder / "lock").mkdir()
    (folder / "lock" / "requirements.lock").write_bytes((folder / "function" / "requirements.txt").read_bytes())
    python = environment.resolve(folder / "lock", OURS, say=lambda text: None).python
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python.parent / "functions-framework", "--target", "predict", "--host", "127.0.0.1"]
    told = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen([*command, "--port", str(port)], cwd=folder / "function", env=told) as process:
        try:
            until(lambda: request(port, "/ready")[0] == 200)
            yield port
        finally:
            process.terminate()


def request(port: int, path: str, body: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"content-type": "application/json"}
        connection.request("POST" if body is not None else "GET", path, body, headers)
        found = connection.getresponse()
        return found.status, found.read()
    finally:
        connection.close()


def package(target: str, bundle: Path, output: Path, *options: str) -> dict[str, Any]:
    """`mlops-ci package`."""
    command = [sys.executable, "-m", "mlops_ci", "package", target, str(bundle), str(output), *options, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


_SPARK = """
import decimal, json, sys
sys.path.insert(0, sys.argv[1] + "/serve")  # of the driver alone: executors are sent it
from pyspark.sql import SparkSession, types
from mlops_ci_serving.batch.spark import scored
from mlops_ci_serving.errors import RefusedFrameError
session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
session.sparkContext.setLogLevel("OFF")
TYPES = {bool: types.BooleanType(), int: types.LongType(), float: types.DoubleType(), str: types.StringType()}
def column(values):
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    if kinds == {int, float}:
        return TYPES[float], [value if value is None else float(value) for value in values]
    if kinds == {int} and max(known) > 2**63:
        return types.DecimalType(38, 0), [value if value is None else decimal.Decimal(value) for value in values]
    if len(kinds) > 1:
        return TYPES[str], [value if value is None else str(value) for value in values]
    return TYPES[kinds.pop() if kinds else str], values
print("up", flush=True)
for line in sys.stdin:
    rows = json.loads(line)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [column([row.get(name) for row in rows]) for name in names]
    schema = types.StructType([types.StructField(name, kind) for name, (kind, _) in zip(names, columns)])
    frame = session.createDataFrame(list(zip(*[values for _, values in columns])), schema).repartition(1)
    try:
        found = {"predictions": [row.asDict() for row in scored(frame, sys.argv[1]).collect()]}
    except Exception as error:
        said = str(error) if isinstance(error, RefusedFrameError) else str(error).partition("RefusedFrameError: ")[2]
        first = said.splitlines()[0]
        where, code = first.partition(": ")[0], first.rpartition("(")[2].rstrip(")")
        found = {"error": {"code": code, "where": where}}
    print(json.dumps(found), flush=True)
"""


@contextlib.contextmanager
def spark(bundle: Path, folder: Path) -> Iterator[Ask]:
    """A DataFrame of Spark with two executors' threads, in an environment with PySpark."""
    python = python_with("spark")
    known = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    told = known | {"PYTHONDONTWRITEBYTECODE": "1", "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [python, "-c", _SPARK, bundle]
    pipe = subprocess.PIPE
    with (
        (folder / "spark.log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, env=told, stdin=pipe, stdout=pipe, stderr=log, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        pipes = process.stdin, process.stdout

        def ask(rows: list[Row]) -> Answer:
            pipes[0].write(json.dumps(rows) + "\n")
            pipes[0].flush()
            return answer(json.loads(pipes[1].readline()))

        try:
            yield ask
        finally:
            process.stdin.close()
            process.kill()


TARGETS: dict[str, Callable[[Path, Path], contextlib.AbstractContextManager[Ask]]] = {
    "server": server,
    "pyfunc": pyfunc,
    "score": score,
    "lambda": lambda_zip,
    "functions": functions,
    "spark": spark,
}
