"""The store in S3, or what speaks its language: each file an object, put only where there is none. Owner of obstore."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mlops_ci.edge.http import address
from mlops_ci.edge.received import Expected, Received
from mlops_ci.edge.stores.remote import same_as
from mlops_ci.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE = 1 << 20
_RETRIES = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}
_LONGEST = 300
_INSTALL = "Install it beside mlops-ci: pip install 'mlops-ci[s3]'"


class S3Store:
    """Keeping takes s3:PutObject and s3:GetObject, fetching s3:GetObject, removing s3:DeleteObject."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.place = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        if find_spec("obstore") is None:
            raise UsageError(f"{self.place} is reached by obstore, which is not installed here", _INSTALL)
        from obstore.store import S3Store as Opened

        endpoint = _endpoint()
        options = {"endpoint": endpoint, "client_options": {"allow_http": True}} if endpoint else {}
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        self._opened: Any = Opened(bucket, prefix=prefix or None, region=region, retry_config=_RETRIES, **options)

    def put(self, name: str, file: Path) -> None:
        """Of two who put the same at the same time one does, where the server knows If-None-Match; both compare."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, NotSupportedError

        key = _key(name)
        with self._told(f"PUT {key}"):
            try:
                obstore.put(self._opened, key, file, mode="create")
            except AlreadyExistsError:
                pass
            except NotSupportedError:
                if self.size(name) is None:
                    obstore.put(self._opened, key, file)
        same_as(file, lambda to: self.fetch(name, to, limit=file.stat().st_size), name=key, place=self.place)

    def fetch(self, name: str, into: Path, *, limit: int) -> bool:
        import obstore

        size, key = self.size(name), _key(name)
        if size is None:
            return False
        expected = Expected(
            what=f"{key} in {self.place}",
            size=size,
            digest=None,
            limit=limit,
            too_large="Is it what mlops-ci put there?",
        )
        with Received(into, expected) as received, self._told(f"GET {key}"):
            for piece in obstore.get(self._opened, key).stream(min_chunk_size=_PIECE):
                received.add(bytes(piece))
        return True

    def size(self, name: str) -> int | None:
        import obstore
        from obstore.exceptions import NotFoundError

        with self._told(f"HEAD {_key(name)}"):
            try:
                return int(obstore.head(self._opened, _key(name))["size"])
            except (FileNotFoundError, NotFoundError):
                return None

    def remove(self, name: str) -> None:
        import obstore
        from obstore.exceptions import NotFoundError

        with self._told(f"DELETE {_key(name)}"):
            try:
                obstore.delete(self._opened, _key(name))
            except (FileNotFoundError, NotFoundError):
                return

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            advice = "May these credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or the job's role) do that?"
            raise OutsideError(f"{self.place} refused {what}", advice) from error
        except (BaseError, FileNotFoundError) as error:
            said = next(iter(str(error).splitlines()), type(error).__name__)[:_LONGEST]
            advice = "Is the bucket there, and does this machine reach it? Then run the command again."
            raise OutsideError(f"{self.place} could not be asked: {what}: {said}", advice) from error


def _key(name: str) -> str:
    return f"{name}.zip"


def _endpoint() -> str:
    """Of a server that is not Amazon's, as its own tools read it; credentials go there, so it has to be https."""
    named = next((name for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") if os.environ.get(name)), "")
    where = address(os.environ[named]) if named else None
    if named and (where is None or not (where.scheme == "https" or (where.scheme == "http" and where.is_loopback))):
        raise UsageError(f"{named} has to begin with https://", "Credentials go there.")
    return os.environ.get(named, "")
