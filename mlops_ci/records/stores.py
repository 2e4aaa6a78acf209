"""What `store:` in mlops.yaml names: a folder, or a place that many machines reach; and what lies there."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_OCI = re.compile(rf"oci://(?P<host>[a-z0-9][a-z0-9.-]{{0,252}}(?::[0-9]{{1,5}})?)/(?P<name>{_PART}(?:/{_PART})*)")
"""https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests"""
_FOLDER = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_S3 = re.compile(rf"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])(?:/(?P<prefix>{_FOLDER}(?:/{_FOLDER})*))?/?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
DEFAULT = ".mlops-ci/store"
WORKFLOWS = "github-release"
"""The default in a job, whose machine is thrown away."""
ALLOWED = "a folder, github-release, oci://HOST/NAME in small letters, without tag or digest, or s3://BUCKET/PREFIX"


ItemKind = Literal["bundle", "predictions", "snapshot"]
"""`predictions`: the row-level evidence of a decision; `snapshot`: a prepared table."""


class StoredItem(msgspec.Struct, frozen=True, kw_only=True):
    """A folder in the store. `digest`: sha256 of its manifest.json."""

    digest: str
    bytes: int


class StorePlace(msgspec.Struct, frozen=True, kw_only=True):
    """`folder`: of what is kept here; relative to the project. A remote keeps what is fetched there."""

    kind: Literal["folder", "github-release", "oci", "s3"]
    folder: str
    host: str = ""
    name: str = ""
    """`acme/models`: of an OCI repository on its host, or where objects begin in the bucket `host`."""


def store_place(text: str) -> StorePlace | None:
    """None where the text names no place that is known."""
    if text == "github-release":
        return StorePlace(kind="github-release", folder=DEFAULT)
    if found := _OCI.fullmatch(text):
        return StorePlace(kind="oci", folder=DEFAULT, host=found["host"], name=found["name"])
    if found := _S3.fullmatch(text):
        return StorePlace(kind="s3", folder=DEFAULT, host=found["bucket"], name=found["prefix"] or "")
    return None if _SCHEME.match(text) or text in ("oci", "s3") else StorePlace(kind="folder", folder=text)
