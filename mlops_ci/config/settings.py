"""Every key of mlops.yaml, with its documentation; docs/settings.md and the JSON Schema are made from here.

The keys about judging are in judging.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from mlops_ci.config.judging import Checks, Evidence, GateSetting, HoldoutUse, MetricSetting
from mlops_ci.config.section import Duration, Names, Section, Share
from mlops_ci.records.images import Target
from mlops_ci.records.results import Where
from mlops_ci.records.stores import DEFAULT

VERSION = 1


class Split(Section, frozen=True, kw_only=True):
    """How rows are divided into train and holdout."""

    by: Annotated[
        Literal["id", "group", "time", "column"],
        Meta(
            description="What puts a row on its side: `id` or `group` (a hash: a row never changes sides, whatever is "
            "added), `time` (the last part), `column` (the data say it themselves)."
        ),
    ] = "id"
    holdout: Annotated[Share, Meta(description="Share of the rows held out, `20%` or `0.2`.")] = 0.2
    columns: Annotated[Names, Meta(description="For `by: column`: the one column that says `train` or `holdout`.")] = ()
    salt: Annotated[
        str,
        Meta(
            description="Text mixed into the hash; left out, the project's name. "
            "Another salt is another holdout: old and new numbers cannot be compared."
        ),
    ] = ""


class Data(Section, frozen=True, kw_only=True):
    """Where the rows come from and what their columns are for."""

    sources: Annotated[
        dict[str, str],
        Meta(
            description="Name -> file or pattern (CSV, Parquet, JSON lines), relative to the project's folder. "
            "The name is the table's name in `prepare`."
        ),
    ]
    prepare: Annotated[
        str | None,
        Meta(
            description="A `.sql` file with one SELECT, or `module:function`, that makes one table of the sources. "
            "Left out: the one source as it is."
        ),
    ] = None
    target: Annotated[str, Meta(description="The column to predict.")]
    missing_target: Annotated[
        Literal["refuse", "drop"],
        Meta(description="Rows without a target: `refuse` stops the check, `drop` leaves them out and counts them."),
    ] = "refuse"
    id: Annotated[
        Names,
        Meta(
            description="The columns that together name a row; never a feature. Left out: all columns but the target, "
            "so that a corrected row counts as another row."
        ),
    ] = ()
    time: Annotated[
        str | None,
        Meta(
            description="The column that says when a row happened. Without `group`, rows of a day are resampled as one."
        ),
    ] = None
    group: Annotated[
        Names,
        Meta(description="Rows with the same values here belong together: one side of the split, resampled as one."),
    ] = ()
    split: Annotated[Split, Meta(description="How the holdout is chosen.")] = Split()
    contract: Annotated[str, Meta(description="The data contract.")] = "data/contract.yaml"


class Train(Section, frozen=True, kw_only=True):
    """How the model comes to be: exactly one of `entrypoint`, `command`, `model`, `predictions`."""

    entrypoint: Annotated[
        str | None, Meta(description="`module:function`, called as function(frame, params, seed) -> fitted model.")
    ] = None
    command: Annotated[str | None, Meta(description="A command that trains and writes `output`.")] = None
    output: Annotated[str | None, Meta(description="The file or MLflow folder that `command` writes.")] = None
    model: Annotated[str | None, Meta(description="A model trained elsewhere: path or URI.")] = None
    predictions: Annotated[str | None, Meta(description="A file of predictions made elsewhere: judged only.")] = None
    params: Annotated[
        str | None, Meta(description="Hyper-parameters: a YAML file, or one part of it as `params.yaml#key`.")
    ] = None
    seed: Annotated[int, Meta(description="Handed to the entrypoint.", ge=0, le=2**32 - 1)] = 0
    search: Annotated[dict[str, Any], Meta(description="Search over hyper-parameters. Not yet.")] = field(
        default_factory=dict
    )

    @property
    def rung(self) -> str:
        """One of RUNGS."""
        return next(name for name in RUNGS if getattr(self, name) is not None)


RUNGS = ("entrypoint", "command", "model", "predictions")


class Package(Section, frozen=True, kw_only=True):
    """How a release is packaged."""

    format: Annotated[
        Literal["auto", "onnx", "skops", "pickle", "pyfunc"],
        Meta(
            description="Of the model in the bundle. `pickle` and `pyfunc` (a model of MLflow) run code when they are "
            "opened, and are taken only where they are asked for."
        ),
    ] = "auto"
    trusted: Annotated[
        Names,
        Meta(
            description="For skops: types that loading the model may build, beside those skops knows to be harmless: "
            "`pipeline.features.Ratios`. What a release lacks here, it names."
        ),
    ] = ()
    load_with: Annotated[
        tuple[Literal["locked", "patch", "minor"], ...],
        Meta(
            description="Versions a release must load and answer with: `locked` (always), and the next `patch` or "
            "`minor` of what opens the model, ONNX Runtime and numpy or scikit-learn. One that breaks refuses it. "
            "`check` asks it where a lock changed."
        ),
    ] = ("locked",)
    intended_use: Annotated[str, Meta(description="What the model is for, and what not: a text for its card.")] = ""
    private: Annotated[
        Names, Meta(description="Columns whose values no log of predictions may hold: hashed there, or left out.")
    ] = ()
    image: Annotated[
        str | None,
        Meta(description="Where the container image is pushed: a repository without a tag, `ghcr.io/acme/flights`."),
    ] = None
    base: Annotated[
        str | None,
        Meta(
            description="What the image is built on: an image with Python 3.11 or later and pip, named by its digest: "
            "`python:3.12-slim@sha256:…`."
        ),
    ] = None
    dockerfile: Annotated[
        str | None, Meta(description="A Dockerfile of your own instead of the generated one (docs/image.md).")
    ] = None
    trust: Annotated[
        str | None,
        Meta(
            description="The public key of who signs releases, a PEM file of the project: `release` signs with its "
            "private half (`MLOPS_CI_SIGNING_KEY`), and nothing opens a bundle without (docs/bundle.md)."
        ),
    ] = None
    memory: Annotated[int, Meta(description="MiB that the image may use in its smoke test.", ge=64)] = 512
    targets: Annotated[
        tuple[Target, ...],
        Meta(
            description="Where the image runs, an image for each: `docker` (the server), `lambda`, `functions` (Cloud "
            "Run functions, Knative), `batch` (a job that scores files)."
        ),
    ] = ("docker",)


class Environment(Section, frozen=True, kw_only=True):
    """Where releases run, and the rules for getting there (docs/environments.md)."""

    gates: Annotated[
        tuple[GateSetting, ...],
        Meta(
            description="What a model must hold to run here, written like `gates`. Judged and shown in every check, "
            "and never decide it; a promotion judges them again."
        ),
    ] = ()
    after: Annotated[str | None, Meta(description="The environment a release must have been in before.")] = None
    soak: Annotated[Duration | None, Meta(description="How long it must have run there: `24h`.")] = None
    approvals: Annotated[int, Meta(description="How many people must approve.", ge=0)] = 0
    trust: Annotated[
        Literal["desk", "fork", "pull-request", "default-branch"] | None,
        Meta(description="The least trust of the decision that may come here."),
    ] = None
    freeze: Annotated[Names, Meta(description="When nothing may change: `Fri 15:00 - Mon 08:00 Europe/Berlin`.")] = ()
    deploy: Annotated[
        Literal["kustomize", "compose", "command"] | None,
        Meta(
            description="What reads the folder `environments/NAME`, into which a promotion writes the image: "
            "`kustomize` (Argo CD, Flux, `kubectl apply -k`), `compose` (docker compose on one machine); `command`: "
            "not yet."
        ),
    ] = None
    command: Annotated[str | None, Meta(description="For `deploy: command`: what bash is to run. Not yet.")] = None


class Runner(Section, frozen=True, kw_only=True):
    """Where and how the project's code runs."""

    labels: Annotated[Names, Meta(description="The runner of the generated workflow.")] = ("ubuntu-24.04",)
    timeout: Annotated[Duration, Meta(description="Longest time for one run of the project's code: `60m`.")] = 3600
    setup: Annotated[
        Names,
        Meta(
            description="Commands that make the machine of the generated workflow ready for the check "
            "(`sudo apt-get install -y libgomp1`, `uvx dvc pull`): each run by bash in the project's folder, up to "
            "the first that fails; together they have `timeout`."
        ),
    ] = ()
    secrets: Annotated[
        Names, Meta(description="Environment variables the project's code may see; all others are kept from it.")
    ] = ()


class Keys(Section, frozen=True, kw_only=True):
    """mlops.yaml."""

    version: Annotated[int, Meta(description="Of this file's format.", ge=1)]
    project: Annotated[
        str,
        Meta(description="Name of the project: small letters, digits and `-`.", pattern="^[a-z0-9][a-z0-9-]{0,62}$"),
    ]
    task: Annotated[
        Literal["classification", "regression"],
        Meta(description="Classification is binary or multiclass by the classes found."),
    ]
    data: Annotated[Data, Meta(description="The data.")]
    train: Annotated[
        Train | None,
        Meta(description="How the model is trained. Left out: only `check --predictions` and data checks."),
    ] = None
    checks: Annotated[Checks, Meta(description="Further checks.")] = Checks()
    slices: Annotated[Names, Meta(description="Columns whose values cut the rows into slices of the report.")] = ()
    metrics: Annotated[
        dict[str, MetricSetting],
        Meta(description="Own metrics (docs/metrics.md): name -> `module:function`, or a mapping with `function`."),
    ] = field(default_factory=dict)
    gates: Annotated[
        tuple[GateSetting, ...],
        Meta(description="What must hold; each a text, or a mapping with `gate`, `name`, `when_undecided`."),
    ] = ()
    champion: Annotated[
        str | None,
        Meta(
            description="The environment whose release is the champion; left out, the last in which something runs. "
            "Where nothing does, the newest commit that passed is."
        ),
    ] = None
    anchor: Annotated[
        str | None,
        Meta(
            description="What gates over `anchor.METRIC` compare with: a commit whose decision passed, or the "
            "beginning of such a decision's id; in quotes where YAML would take it for a number. It stays when the "
            "champion changes.",
        ),
    ] = None
    holdout: Annotated[HoldoutUse, Meta(description="What is promised about the held-out rows.")] = HoldoutUse()
    evidence: Annotated[Evidence, Meta(description="What is kept of each decision.")] = Evidence()
    store: Annotated[
        str,
        Meta(
            description="Where bundles, predictions and snapshots of releases live (docs/store.md): a folder of this "
            "machine, `github-release`, or a repository of a registry, `oci://ghcr.io/acme/models`, or a bucket, "
            "`s3://acme-models/flights`."
        ),
    ] = DEFAULT
    package: Annotated[Package, Meta(description="How a release is packaged.")] = Package()
    environments: Annotated[
        dict[str, Environment], Meta(description="Name -> rules; promoted in the order written.")
    ] = field(default_factory=dict)
    runner: Annotated[Runner, Meta(description="Where and how the project's code runs.")] = Runner()
    watch: Annotated[Names, Meta(description="Shared code outside the project's folder, relative to it.")] = ()


class Config(Keys, frozen=True, kw_only=True):
    """A checked mlops.yaml. Compare keys, not whole values: `lines` changes when text moves."""

    file: str
    lines: dict[str, int]

    def where(self, key: str) -> Where:
        """The line of a key such as `data.target` or `gates[1]`, or of the nearest key around it."""
        while key:
            if line := self.lines.get(key):
                return Where(self.file, line)
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return Where(self.file, self.lines.get(""))

    def place(self, key: str) -> str:
        """File, line and key, for messages: `mlops.yaml:6: data.target`."""
        return f"{self.where(key)}: {key}"
