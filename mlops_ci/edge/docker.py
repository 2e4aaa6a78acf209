"""Asks a Docker Engine through its SDK: build, look, run, push. The owner of that library.

Credentials are those of the user's Docker configuration, and only the SDK reads them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import msgspec

from mlops_ci.errors import OutsideError
from mlops_ci.records.images import Built, Pushed

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

Say = Callable[[str], None]

_FIRST_ANSWER = 10
_SILENCE = 900
"""Seconds without a word: a step of a build may install for minutes and say nothing."""
_STEP = re.compile(r"Step (\d+/\d+) : (.*)")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_LAST_LINES = 12
_PROCESSES = 256
_INSTALL = "Install it beside mlops-ci: pip install 'mlops-ci[docker]'"
_ADVICE = (
    ("no space left", "make room on the disk of the Docker daemon: docker system prune"),
    ("no matching distribution", "the lock does not fit the Python of package.base, or the index lacks a version"),
    ("no solution found", "the lock does not fit the Python of package.base, or the index lacks a version"),
    ("hash", "the index gives another file than the one that was locked: find out why before you lock again"),
    ("no module named pip", "package.base needs Python with pip"),
    ("python3: not found", "package.base needs Python 3.11 or later as python3"),
    ("manifest unknown", "is the digest right, and is it still in the registry?"),
    ("not found", "is the name right, and does the account see it?"),
    ("no basic auth credentials", "log in first: docker login"),
    ("unauthorized", "log in first: docker login"),
    ("authentication required", "log in first: docker login"),
    ("denied", "the account of `docker login` may not do that there: ask for the right, or name another repository"),
    ("connection refused", "is the registry there?"),
    ("no such host", "is the name of the registry right?"),
    ("eof", "the registry broke the connection: run it again"),
    ("received unexpected http status: 5", "the registry is in trouble: run it again later"),
)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a container may do, beside running: nothing but use memory."""

    image: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    """Instead of the image's own, where it is not empty."""
    memory: int
    """Bytes."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Of a container or a command in it. `code`: None while it runs."""

    code: int | None
    output: str
    out_of_memory: bool = False


class Engine:
    """A Docker Engine that answered."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> Engine:
        """The engine of DOCKER_HOST, of the `docker context`, or of this machine. OutsideError where none answers."""
        try:
            import docker
        except ImportError:
            raise OutsideError("the Docker SDK is not installed", _INSTALL) from None
        with _translated("Docker does not answer", "Is the daemon running, and may you use it? DOCKER_HOST names it."):
            chosen = docker.ContextAPI.get_current_context()
            if chosen.Name == "default" or "DOCKER_HOST" in os.environ:
                client = docker.from_env(timeout=_FIRST_ANSWER)
            else:
                client = docker.DockerClient(chosen.Host, tls=chosen.TLSConfig, timeout=_FIRST_ANSWER)
            client.ping()
            client.api.timeout = _SILENCE
            return cls(client)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def build(self, context: IO[bytes], name: str, *, told: tuple[str, ...], network: str | None, say: Say) -> Built:
        """Build an image from a tar with a Dockerfile at its root; `told`: variables handed on as build arguments.

        The engine's own builder is used, which every engine has and which does not know BuildKit's syntax.
        OutsideError with the last lines where it fails.
        """
        failed = f"{name} cannot be built"
        said: list[str] = []
        image = ""
        with _translated(failed, "Is the Docker daemon still running?", said):
            for event in self._client.api.build(
                fileobj=context,
                custom_context=True,
                tag=name,
                rm=True,
                forcerm=True,
                decode=True,
                buildargs={name: os.environ[name] for name in told if name in os.environ},
                network_mode=network,
            ):
                _progress(event, said, say)
                image = event.get("aux", {}).get("ID", image)
                if error := event.get("error"):
                    raise _refused(failed, str(error), said)
        if not image:
            raise _refused(failed, "the daemon stopped answering", said)
        return self.look(image, name)

    def look(self, image: str, name: str) -> Built:
        """What the engine knows of an image."""
        with _translated(f"{name} cannot be inspected"):
            attributes = self._client.images.get(image).attrs
            history = self._client.api.history(image)
        config = attributes.get("Config") or {}
        layers = tuple(attributes["RootFS"].get("Layers") or ())
        sizes = tuple(size for step in reversed(history) if (size := int(step["Size"])))
        return Built(
            image=attributes["Id"],
            name=name,
            bytes=attributes["Size"],
            layers=layers,
            sizes=sizes if len(sizes) == len(layers) else (),
            user=config.get("User") or "",
            program=(*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())),
        )

    def push(self, name: str, say: Say) -> Pushed:
        """Push `repository:tag`, and read back by its digest what the registry has. OutsideError where it refuses."""
        failed = f"{name} cannot be pushed"
        repository, _, tag = name.rpartition(":")
        states: dict[str, str] = {}
        digest = ""
        with _translated(failed, "Is the Docker daemon still running?"):
            for event in self._client.api.push(repository, tag=tag, stream=True, decode=True):
                if error := event.get("error"):
                    raise _refused(failed, str(error))
                digest = event.get("aux", {}).get("Digest", digest)
                if "id" in event and event["id"] != tag:
                    states[event["id"]] = event.get("status", "")
                    say(f"{_settled(states)} of {len(states)} layers {_moved(event)}")
            if not digest:
                raise _refused(failed, "the daemon stopped answering")
            reference = f"{repository}@{digest}"
            found = self._client.api.inspect_distribution(reference)["Descriptor"]["digest"]
        if found != digest:
            raise OutsideError(f"the registry answers {found} for {reference}", "Somebody is between: find out who.")
        new = sum(state == "Pushed" for state in states.values())
        return Pushed(reference=reference, layers=len(states), new_layers=new)

    def tag(self, image: str, repository: str, tag: str) -> None:
        """Another name for an image that the engine has."""
        with _translated(f"{repository}:{tag} cannot be given to {image}"):
            self._client.images.get(image).tag(repository, tag=tag)

    @contextmanager
    def running(self, run: Run) -> Iterator[Running]:
        """A container for as long as the block runs: read-only, no network but its own loopback, no capabilities."""
        failed = f"{run.image} cannot be started"
        with _translated(failed):
            container = self._client.containers.create(
                run.image,
                list(run.command),
                entrypoint=list(run.entrypoint) or None,
                read_only=True,
                network_mode="none",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                mem_limit=run.memory,
                memswap_limit=run.memory,
                pids_limit=_PROCESSES,
            )
        try:
            with _translated(failed):
                container.start()
            yield Running(container)
        finally:
            with _translated(f"{container.short_id} cannot be removed"):
                container.remove(force=True)


class Running:
    """A container that was started."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def ask(self, *command: str) -> Ended:
        """Run a program in the container, to its end; without a code where the container does not run any more."""
        import docker

        with _translated(f"{command[0]} cannot be run in the container"):
            try:
                code, output = self._container.exec_run(list(command), stderr=False)
            except docker.errors.APIError as error:
                if "is not running" not in str(error):
                    raise
                return Ended(code=None, output="")
        return Ended(code=code, output=output.decode("utf-8", "replace"))

    def wait(self, seconds: float) -> Ended:
        """How the container ended, or stands after so long."""
        import requests

        with _translated("the container cannot be waited for"):
            # A read that timed out is one of these two, by the version of urllib3.
            with suppress(requests.exceptions.ConnectionError, requests.exceptions.ReadTimeout):
                self._container.wait(timeout=seconds)
            return self.state()

    def state(self) -> Ended:
        """Whether it still runs, and the last lines it printed."""
        with _translated("the container cannot be inspected"):
            self._container.reload()
            state = self._container.attrs["State"]
            output = self._container.logs(tail=_LAST_LINES).decode("utf-8", "replace")
        code = None if state["Running"] else int(state["ExitCode"])
        return Ended(code=code, output=output, out_of_memory=bool(state.get("OOMKilled")))


def _progress(event: Mapping[str, Any], said: list[str], say: Say) -> None:
    """One event of a build: a new step is told, the rest is kept for the case that it fails."""
    text = _CREDENTIALS.sub("***@", str(event.get("stream", "")).rstrip())
    if step := _STEP.match(text):
        said.clear()
        say(f"step {step[1]}: {step[2]}"[:120])
    elif text:
        said.extend(text.splitlines())
        del said[:-_LAST_LINES]
    elif status := event.get("status"):
        say(f"base: {status}")


def _settled(states: Mapping[str, str]) -> int:
    return sum(state.startswith(("Pushed", "Layer already exists", "Mounted from")) for state in states.values())


def _moved(event: Mapping[str, Any]) -> str:
    detail = event.get("progressDetail") or {}
    return f"({detail['current'] / 1e6:.0f} MB)" if detail.get("current") else ""


def _refused(failed: str, reason: str, said: list[str] | None = None) -> OutsideError:
    told = _CREDENTIALS.sub("***@", "\n".join([*(said or ()), reason.strip()]))
    lowered = told.lower()
    advice = next((advice for sign, advice in _ADVICE if sign in lowered), "")
    return OutsideError(f"{failed}: {told}" if "\n" not in told else f"{failed}:\n{told}", advice)


@contextmanager
def _translated(failed: str, advice: str = "", said: list[str] | None = None) -> Iterator[None]:
    """Whatever the SDK and the libraries below it raise, as OutsideError."""
    import docker
    import requests
    import urllib3

    outside = (docker.errors.DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError)
    try:
        yield
    except (*outside, OSError) as error:
        explanation = getattr(error, "explanation", None) or str(error)
        refused = _refused(failed, str(explanation)[:500], said)
        raise OutsideError(refused.message, refused.advice or advice) from error
