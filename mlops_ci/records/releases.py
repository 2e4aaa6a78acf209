"""A release: a bundle with a number; and what is known of the bundle."""

from __future__ import annotations

from typing import Literal

import msgspec

from mlops_ci.records.evaluation import Interval, MetricValue
from mlops_ci.records.stores import ItemKind


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """A value at a jump of the model that the file answers as if it were on the other side."""

    column: str
    value: float


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """How far the answers of a file are from the model's on the held-out rows, and on rows made to part them."""

    rows: int
    labels_differ: int
    largest_difference: float
    tolerance: float
    worst_row: int | None
    hunted: dict[str, int]
    """Rows at jumps of the model, with a value missing, a text never seen, or one in capitals: by these words."""
    effects: tuple[Effect, ...] = ()
    """The first of those that no held-out row can show."""
    effect_count: int = 0
    not_asked: tuple[str, ...] = ()
    """What the model itself refuses to answer."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One format: accepted, or refused and why."""

    format: Literal["onnx", "skops", "pickle", "pyfunc"]
    outcome: Literal["accepted", "refused"]
    reason: str = ""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed a bundle."""

    digest: str
    """sha256 of its model.sig."""
    key: str
    """sha256 of the public key in PEM, as signatures name it."""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """The libraries that serving a bundle needs, in the environment it was loaded in."""

    libraries: int
    bytes: int
    largest: tuple[tuple[str, int], ...]
    """Those that weigh most, with their bytes."""


class BundleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle without its files."""

    digest: str
    """sha256 of its manifest.json."""
    format: str
    bytes: int
    files: int
    fingerprint: str
    """Of what the model answers to the golden requests: recorded at every place where it must behave the same."""
    tried: tuple[Tried, ...]
    parity: Parity
    decision: str
    """The decision that passed the model."""
    number: int = 0
    """Of the release; 0: it did not become one."""
    signature: Signature | msgspec.UnsetType = msgspec.UNSET
    """Left out of the JSON where nobody signed it."""
    installed: Installed | msgspec.UnsetType = msgspec.UNSET
    """Of a model that is no ONNX."""
    imports: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Of a pickle: `module.name` of what opening it takes from modules, as read from it without opening it."""

    @property
    def release(self) -> str:
        """`v12`, or empty."""
        return f"v{self.number}" if self.number else ""


class ImageInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The container image of a release, as far as it is the same for everybody who looks."""

    reference: str
    """`repository@sha256:…`, as the registry answered for it; empty: it was not pushed."""
    base: str
    """What it stands on, by its digest; empty where a Dockerfile of the project's own says it."""
    fingerprint: str
    """Of what it answers to the golden requests."""
    bytes: int
    """Unpacked, with the base."""
    layers: tuple[str, ...]
    """sha256 of each layer's tar, the base's first."""
    sizes: tuple[int, ...] | msgspec.UnsetType = msgspec.UNSET
    """Bytes of each layer, unpacked; left out where the engine does not say."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A release beside the one before it: what the two decisions do not already say of files and parameters."""

    release: str
    """The one before."""
    commit: str
    rows: tuple[int, int]
    """Of the prepared table, before and now; so are all pairs here."""
    format: tuple[str, str]
    bytes: tuple[int, int]
    image_bytes: tuple[int, int]
    """Unpacked; 0: none."""
    packages: dict[str, tuple[str, str]]
    """Libraries of the model whose versions differ; empty: not there."""
    metrics: tuple[MetricValue, ...]
    """Now, and as `champion` the release before, each on the rows it was judged on."""
    intervals: dict[str, Interval]
    """Metric -> how sure its value now is."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was in production before: taken in, not judged by gates."""

    source: str
    """Where it came from: `models:/churn/17`, or the name of a folder."""
    reason: str
    digest: str
    """Of its folder in the store: sha256 of its manifest.json."""
    bytes: int
    files: int
    number: int

    @property
    def release(self) -> str:
        return f"v{self.number}"


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """`releases/PROJECT/vN.json` of the ledger: made once, never changed."""

    version: int
    project: str
    release: str
    bundle: str
    decision: str
    """The decision that made it a release, and the one that passed its model."""
    judged: str
    commit: str
    image: str | msgspec.UnsetType = msgspec.UNSET
    """`repository@sha256:…` of the server; left out of the JSON where it has none."""
    images: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    """Target -> `repository@sha256:…`, the server's as `docker`; left out of the JSON where none was pushed."""
    signature: Signature | msgspec.UnsetType = msgspec.UNSET
    """Left out of the JSON where nobody signed its bundle."""
    predictions: str | msgspec.UnsetType = msgspec.UNSET
    """Digest of its row-level evidence in the store; left out of the JSON where no rows were kept."""
    snapshot: str | msgspec.UnsetType = msgspec.UNSET
    """Digest of its prepared table in the store; left out of the JSON where that is not kept."""
    imported: str | msgspec.UnsetType = msgspec.UNSET
    """Where a model came from that no gate judged; left out of the JSON of all others. `judged` is empty then."""

    @property
    def pushed(self) -> dict[str, str]:
        """Target -> image; releases of before there were targets name that of the server alone."""
        return self.images or ({"docker": self.image} if self.image else {})

    @property
    def items(self) -> tuple[tuple[ItemKind, str], ...]:
        """What of it lies in the store: kind and digest."""
        found: dict[ItemKind, str | msgspec.UnsetType] = {
            "bundle": self.bundle,
            "predictions": self.predictions,
            "snapshot": self.snapshot,
        }
        return tuple((kind, digest) for kind, digest in found.items() if digest)
