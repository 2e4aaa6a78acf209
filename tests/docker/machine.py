"""Starts a Docker Engine and a registry beside whatever runs, and stops them; makes the base image once.

The engine has folders and a socket of its own, no bridge and no rules of a firewall: containers of these tests have the
host's network or none, so that all traffic stays on 127.0.0.1. Nothing is pulled: the base is Debian with Python, made
by debootstrap and kept in the user's cache folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker

PARTS = ("dockerd", "docker-registry", "debootstrap", "registry")
"""What a machine needs for these tests; the last is the package index, which builds ask."""
_DEBIAN = "bookworm"  # its Python is 3.11, the oldest that bundles run on
_PACKAGES = "python3,python3-pip,ca-certificates"
_LEFT_OUT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man", "proc", "dev")
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_WAIT = 60.0


class Daemon:
    """A dockerd of our own below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"unix://{folder}/socket"
        places = ("--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "pid")
        apart = (
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--storage-driver=overlay2",
            "--shutdown-timeout=1",
        )
        with (folder / "log.txt").open("w") as log:
            self._process = subprocess.Popen(
                ["dockerd", "--host", self.address, *map(str, places), *apart],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.client = docker.DockerClient(self.address, timeout=600, version="1.41")
        try:
            _until(self.client.ping, lambda: self._process.poll() is not None)
        except TimeoutError:
            raise RuntimeError((folder / "log.txt").read_text()[-2000:]) from None

    def kill(self) -> None:
        """As a machine that loses power: the daemon, and what it started."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if f"{self.folder}/".encode() in each.read_bytes():
                    os.kill(int(each.parent.name), signal.SIGKILL)

    def stop(self) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait(_WAIT)
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            place = line.split()[1]
            if place.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", place], check=False)


class Registry:
    """A docker-registry on 127.0.0.1; `htpasswd`: who may use it, left out everybody; `auth`: another way to log in."""

    def __init__(self, folder: Path, htpasswd: str = "", *, auth: str = "") -> None:
        self.address = f"127.0.0.1:{free_port()}"
        auth = f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n" if htpasswd else auth
        (folder / "htpasswd").write_text(htpasswd)
        (folder / "config.yml").write_text(
            f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/store}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '{self.address}'}}\n{auth}"
        )
        with (folder / "log.txt").open("w") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=subprocess.STDOUT
            )
        host, port = self.address.split(":")
        _until(lambda: socket.create_connection((host, int(port)), 1).close(), lambda: self._process.poll() is not None)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A registry that says it is one, and refuses everything with that status; 0 closes the connection instead."""

    class Refuses(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if not status and self.path != "/v2/":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(200 if self.path == "/v2/" else status)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            body = b'{"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]}'
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def daemon() -> Iterator[Daemon]:
    """A Docker Engine for as long as the block runs. Its path is short: a socket's may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dockerd-", ignore_cleanup_errors=True) as name:
        running = Daemon(Path(name))
        try:
            yield running
        finally:
            running.stop()


def base(running: Daemon, registry: Registry, archive: Path) -> str:
    """The base image, pushed into the registry; its name with its digest."""
    name = f"{registry.address}/python"
    told = [f"ENV {name}={_AUTHORITIES}" for name in ("SSL_CERT_FILE", "PIP_CERT")]
    imported = running.client.api.import_image_from_file(str(archive), repository=name, tag="3.11", changes=told)
    assert "error" not in imported, imported
    for event in running.client.api.push(name, "3.11", stream=True, decode=True):
        assert "error" not in event, event
        if digest := event.get("aux", {}).get("Digest"):
            return f"{name}:3.11@{digest}"
    raise AssertionError("the registry gave no digest")


def base_archive() -> Path:
    """A tar of Debian with Python, pip and this machine's certificate authorities; made when it is not in the cache."""
    made_of = hashlib.sha256(f"{_DEBIAN} {_PACKAGES} {_LEFT_OUT}".encode() + _AUTHORITIES.read_bytes()).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlops-ci-tests"
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / f"base-{made_of[:16]}.tar"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            _make_base(archive)
    return archive


def _make_base(archive: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _DEBIAN, str(root)]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        subprocess.run(["umount", str(root / "proc")], check=False, capture_output=True)
        assert made.returncode == 0, made.stdout[-2000:]
        shutil.copy(_AUTHORITIES, root / str(_AUTHORITIES)[1:])
        beside = archive.with_suffix(".part")
        with tarfile.open(beside, "w") as into:
            into.add(root, "", filter=lambda entry: None if entry.name.startswith(_LEFT_OUT) else entry)
        beside.replace(archive)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _until(question: Callable[[], object], ended: Callable[[], bool]) -> None:
    """Ask until there is an answer. TimeoutError when it ended or takes too long."""
    end = time.monotonic() + _WAIT
    while time.monotonic() < end and not ended():
        try:
            question()
        except Exception:  # noqa: BLE001 - not there yet
            time.sleep(0.05)
        else:
            return
    raise TimeoutError
