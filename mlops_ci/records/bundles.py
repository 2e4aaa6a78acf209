"""What a bundle says of its model: serving.json, golden.json and manifest.json (docs/bundle.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from mlops_ci.records.evaluation import Task
from mlops_ci.records.tables import Kind

Predicts = Literal["labels", "probabilities"]
SIGNATURE = "model.sig"
"""The one file of a bundle that its manifest does not list: the digest is the same whoever signs it."""
Cell = float | int | str | bool | None
"""A value as JSON has it; times are ISO 8601 text."""


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A column the model is asked with. Bounds and categories: what the data contract forbids to leave."""

    name: str
    kind: Kind
    nullable: bool
    minimum: float | str | None = None
    maximum: float | str | None = None
    categories: tuple[str, ...] | None = None


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the answers."""

    name: str
    kind: Kind


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One input of an ONNX model, of shape (rows, columns). Booleans are 0 and 1, a missing number is NaN."""

    name: str
    columns: tuple[str, ...]
    type: Literal["float32", "float64", "string"]


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """How an ONNX model is asked: what stands for a missing text, and the names of its outputs."""

    feeds: tuple[Feed, ...]
    missing_text: str
    label: str
    scores: str | None
    """None where there are no probabilities."""


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """The model in the bundle. `trusted`: of a skops file, the types that may be loaded."""

    file: str
    """Of a model of MLflow its folder."""
    format: str
    trusted: tuple[str, ...] = ()
    predicts: Predicts | msgspec.UnsetType = msgspec.UNSET
    """Of a model of MLflow: what its `predict` answers."""


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """serving.json."""

    version: int
    project: str
    task: Task
    commit: str
    model: ModelFile
    inputs: tuple[Input, ...]
    ids: tuple[str, ...]
    """Columns a request may carry beside: logged, never handed to the model."""
    private: tuple[str, ...]
    """Inputs that no log may hold as they are."""
    outputs: tuple[Output, ...]
    classes: tuple[str, ...]
    """In the order of the probabilities among `outputs`."""
    onnx: Wiring | None = None


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """golden.json: requests with what the judged model answered.

    Rows are put together column by column from held-out rows, so that no row of the data is among them.
    """

    version: int
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    answers: dict[str, tuple[Cell, ...]]
    """Output -> its answers, one a row."""
    tolerance: float
    """How far a number may be from the judged one."""
    quantum: float
    """The step to which numbers are rounded in the fingerprint; none of these answers is near an edge of it."""
    fingerprint: str
    """sha256 over the rounded answers: the same wherever the model behaves the same."""


class Licence(msgspec.Struct, frozen=True, kw_only=True):
    """Of a library: as SPDX writes it, or in its own words."""

    text: str
    spdx: bool = True


class FileDigest(msgspec.Struct, frozen=True, kw_only=True):
    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """manifest.json: every other file of the bundle. Its own sha256 is the digest of the bundle."""

    version: int
    files: dict[str, FileDigest]
