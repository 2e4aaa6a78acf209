"""mlops.yaml: parse, the messages, what is not there yet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_ci.config import load, reference
from mlops_ci.config.catalog import keys
from mlops_ci.config.judging import GateSetting
from mlops_ci.config.settings import Config
from mlops_ci.errors import ConfigError

BASE = """\
version: 1
project: flight-delay
task: classification
data:
  sources: {flights: data/flights/*.parquet}
  target: late
  id: [carrier, flight]
train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}
"""
FULL = """\
version: 1
project: flight-delay
task: classification
data:
  sources: {flights: data/flights/*.parquet, weather: data/weather.parquet}
  prepare: pipeline/prepare.sql
  target: late
  missing_target: drop
  id: [carrier, flight, origin, time_hour]
  time: time_hour
  group: [month, day]
  split: {by: group, holdout: 20%}
  contract: data/contract.yaml
train: {entrypoint: pipeline.train:train, params: params.yaml, seed: 7}
checks: {deepchecks: off}
slices: [origin, carrier]
gates:
  - roc_auc >= 0.72
  - accuracy >= 0.78 @ 95%
  - {gate: drift.max_psi <= 0.25, name: drift of the sources, when_undecided: warn}
champion: production
holdout: {guarantee: none}
environments: {dev: {}, production: {}}
runner: {labels: ubuntu-24.04, timeout: 30m, secrets: [TOKEN]}
watch: [../shared]
"""


def parse(text: str) -> Config:
    return load.parse(text, file="mlops.yaml")


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as found:
        parse(text)
    return found.value


def changed(old: str, new: str, text: str = BASE) -> str:
    assert old in text
    return text.replace(old, new)


def test_a_full_file_is_read_into_typed_values() -> None:
    config = parse(FULL)
    assert config.data.sources == {"flights": "data/flights/*.parquet", "weather": "data/weather.parquet"}
    assert config.data.split.holdout == 0.2
    assert config.data.split.salt == "flight-delay"
    assert config.train is not None
    assert config.train.rung == "entrypoint"
    assert config.checks.deepchecks == "off"
    assert config.runner.timeout == 1800
    assert config.runner.labels == ("ubuntu-24.04",)
    assert config.gates[0] == GateSetting(text="roc_auc >= 0.72")
    assert config.gates[2].name == "drift of the sources"
    assert config.gates[2].when_undecided == "warn"


def test_a_key_says_where_it_stands() -> None:
    config = parse(FULL)
    assert str(config.where("data.target")) == "mlops.yaml:7"
    assert str(config.where("gates[1]")) == "mlops.yaml:19"
    assert str(config.where("data.split.salt")) == "mlops.yaml:12"
    assert str(config.where("nothing")) == "mlops.yaml:1"


def test_the_same_rules_on_other_lines_are_the_same_rules() -> None:
    moved = parse("# a comment\n\n" + FULL)
    assert moved.gates == parse(FULL).gates
    assert load.effective(moved) == load.effective(parse(FULL))


def test_an_empty_value_counts_as_left_out() -> None:
    assert parse(BASE + "slices:\ngates:\n").slices == ()


@pytest.mark.parametrize(
    ("old", "new", "place", "found", "advice"),
    [
        ("target:", "taget:", "mlops.yaml:6: data.taget", "no key 'taget'", "Did you mean target?"),
        ("task: ", "target: late\ntask: ", "mlops.yaml:3: target", "no key 'target'", "elsewhere: data.target"),
        ("  target: late\n", "", "mlops.yaml:4: data", "data.target is missing", "text"),
        ("target: late", "target: [late]", "mlops.yaml:6: data.target", "a list of 1", "a text"),
        ("target: late", "target: 7", "mlops.yaml:6: data.target", "the number 7", 'quotes, "7"'),
        ("task: classification", "task: classify", "mlops.yaml:3: task", "the text 'classify'", "mean classification"),
        ("seed: 7", "seed: -1", "mlops.yaml:8: train.seed", "the number -1", "from 0"),
        ("seed: 7", "seed: true", "mlops.yaml:8: train.seed", "true", "whole number"),
        ("project: flight-delay", "project: Flight Delay", "mlops.yaml:2: project", "Flight Delay", "small letters"),
        ("id: [carrier, flight]", "id: [late]", "mlops.yaml:7: data.id", "is the target", "must not"),
        ("id: [carrier, flight]", "id: [a, a]", "mlops.yaml:7: data.id[1]", "twice", "once"),
        (
            "{flights: data/flights/*.parquet}",
            "{a: x.csv, b: y.csv}",
            "mlops.yaml:5: data.sources",
            "no data.prepare",
            "joins",
        ),
        (
            "data/flights/*.parquet",
            "../x.csv",
            "mlops.yaml:5: data.sources.flights",
            "leaves the project",
            "stay in it",
        ),
        ("data/flights/*.parquet", "/etc/passwd", "mlops.yaml:5: data.sources.flights", "leaves", "relative"),
        ("data/flights/*.parquet", "s3://b/x.csv", "mlops.yaml:5: data.sources.flights", "not yet", "Bring it"),
        ("flights:", "1x:", "mlops.yaml:5: data.sources.1x", "table's name", "letters"),
        (
            "pipeline.train:train",
            "pipeline/train.py",
            "mlops.yaml:8: train.entrypoint",
            "pipeline/train.py",
            "module:function",
        ),
        ("entrypoint: pipeline.train:train, ", "", "mlops.yaml:8: train", "none of the ways", "exactly one"),
        ("seed: 7", "command: python t.py", "mlops.yaml:8: train", "entrypoint and command", "exactly one"),
        ("version: 1", "version: 2", "mlops.yaml:1: version", "found version 2", "newer mlops-ci"),
    ],
)
def test_a_mistake_is_named_with_place_found_and_advice(
    old: str, new: str, place: str, found: str, advice: str
) -> None:
    error = refused(changed(old, new))
    assert error.where.startswith(place)
    assert found in error.message
    assert advice in error.advice


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("{by: group}", "data.group is not set"),
        ("{by: time}", "data.time is not set"),
        ("{by: column}", "data.split.columns is not set"),
        ("{by: column, columns: [a, b]}", "more than one column"),
        ("{by: id, columns: [a]}", "the split is by id"),
        ("{by: column, columns: late}", "is the target"),
        ("{holdout: 0%}", "'0%'"),
        ("{holdout: 100%}", "'100%'"),
        ("{holdout: 20}", "the number 20"),
        ("{holdout: .nan}", "nan"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(split: str, words: str) -> None:
    assert words in refused(changed("  id: [carrier, flight]", f"  split: {split}")).message


def test_what_is_not_there_yet_is_refused_and_says_what_to_do() -> None:
    error = refused(BASE.replace("train: {", "train: {search: {depth: [1, 2]}, "))
    assert error.message.startswith("not yet")
    assert error.advice


@pytest.mark.parametrize(
    ("rules", "where", "words"),
    [
        (
            "{production: {after: staging}, staging: {}}",
            "environments.production.after",
            "no environment that is written before production",
        ),
        ("{production: {after: production}}", "environments.production.after", "'production' is no environment"),
        ("{production: {soak: 24h}}", "environments.production.soak", "no environment to run in before"),
        (
            "{production: {freeze: ['Fri 15:00 - Mon 08:00']}}",
            "environments.production.freeze[0]",
            "no window with a time zone",
        ),
        ("{production: {freeze: ['Fri 15:00 - Mon 08:00 Mars/Base']}}", "freeze[0]", "'Mars/Base' is no time zone"),
        ("{production: {approvals: -1}}", "environments.production.approvals", "-1"),
        ("{production: {deploy: helm}}", "environments.production.deploy", "'helm'"),
        ("{production: {deploy: command}}", "environments.production.deploy", "no command is named"),
        ("{production: {deploy: command, command: ./d.sh}}", "environments.production.deploy", "not yet"),
        ("{production: {command: ./d.sh}}", "environments.production.command", "deploy is not set"),
        ("{dev: {deploy: compose, command: ./d.sh}}", "environments.dev.command", "deploy is compose"),
        ("{production: {deploy: command, command: ' '}}", "environments.production.command", "found the text ' '"),
    ],
)
def test_rules_that_no_release_can_meet_are_refused(rules: str, where: str, words: str) -> None:
    error = refused(BASE + f"environments: {rules}\n")
    assert where in error.where
    assert words in error.message


def test_the_rules_of_an_environment() -> None:
    text = "environments: {staging: {}, production: {after: staging, soak: 24h, approvals: 1, trust: default-branch}}\n"
    found = parse(BASE + text).environments["production"]
    assert (found.after, found.soak, found.approvals, found.trust) == ("staging", 86_400, 1, "default-branch")


def test_the_targets_of_images() -> None:
    assert parse(BASE).package.targets == ("docker",)
    assert parse(BASE + "package: {targets: [lambda, docker]}\n").package.targets == ("lambda", "docker")
    other = refused(BASE + "package:\n  targets: [docker, lamda]\n")
    assert other.where == "mlops.yaml:10: package.targets[1]"
    assert other.advice == "Allowed: batch | docker | functions | lambda. Did you mean lambda?"


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("targets: []", "that of the server"),
        ("targets: [batch, docker, batch]", "Name each once"),
        ("dockerfile: Dockerfile, targets: [docker, batch]", "build from your own with targets: [docker]"),
        ("image: ghcr.io/acme/x:latest", "without tag or digest"),
        ("image: Acme", "in small letters"),
        ("base: python:3.12-slim", "docker buildx imagetools inspect python:3.12-slim"),
        ("base: python@sha256:12", "docker buildx imagetools inspect python`"),
        ("base: a b", "Name it by its digest"),
        ("memory: 12", "a whole number from 64"),
        ("dockerfile: ../Dockerfile", "stay in it"),
    ],
)
def test_an_image_that_cannot_be_is_refused(package: str, words: str) -> None:
    error = refused(BASE + f"package: {{{package}}}\n")
    assert words in error.advice
    assert error.where.startswith("mlops.yaml:9: package.")


def test_an_image_is_named_and_its_base_by_digest() -> None:
    base = f"python:3.12-slim@sha256:{'ab' * 32}"
    found = parse(BASE + f"package: {{image: ghcr.io/acme/x, base: {base}}}\n").package
    assert (found.image, found.base, found.memory) == ("ghcr.io/acme/x", base, 512)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("package: {imag: x}", "Did you mean image?"),
        ("environments: {production: {soak: 24 parsecs}}", "24h"),
        ("holdout: {guarantee: {adaptivity: some}}", "first_change"),
        ("environments: {Prod: {}}", "small letters"),
    ],
)
def test_keys_of_later_versions_are_checked_in_shape_all_the_same(line: str, words: str) -> None:
    assert words in refused(BASE + line + "\n").advice


VERDICT = "holdout: {guarantee: {adaptivity: full, decisions: 32, disclose: verdict}}\n"


@pytest.mark.parametrize("adaptivity", ["none", "first_change", "full", "3"])
def test_every_adaptivity_can_be_promised_where_only_verdicts_are_told(adaptivity: str) -> None:
    promised = parse(changed("full", adaptivity, BASE + VERDICT)).holdout
    assert promised.verdicts_only


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        (VERDICT.replace("verdict", "full"), "holdout.guarantee.adaptivity", "numbers tell later models more"),
        (VERDICT.replace("full", "0"), "holdout.guarantee.adaptivity", "0"),
        (
            VERDICT + "gates: [{gate: accuracy >= 0.5 @ 95%, when_undecided: warn}]\n",
            "gates[0].when_undecided",
            "tell an undecided gate from a failed one",
        ),
        (
            VERDICT + "environments: {production: {gates: [accuracy >= 0.5 @ 95%]}}\n",
            "environments.production.gates[0]",
            "another answer about the same rows",
        ),
    ],
)
def test_what_would_tell_more_than_one_answer_is_refused(text: str, where: str, words: str) -> None:
    error = refused(BASE + text)
    assert where in str(error.where)
    assert words in error.message


def test_two_gates_of_one_name_are_refused() -> None:
    error = refused(BASE + "gates: [accuracy >= 0.5, accuracy >= 0.5]\n")
    assert error.where == "mlops.yaml:9: gates[1]"


def test_gates_of_an_environment_are_written_like_gates() -> None:
    text = "environments:\n  dev: {}\n  production:\n    gates:\n      - accuracy >= 0.9\n"
    text += "      - {gate: d < 0.1, name: few}\n"
    config = parse(BASE + text)
    assert [(gate.text, gate.name) for gate in config.environments["production"].gates] == [
        ("accuracy >= 0.9", ""),
        ("d < 0.1", "few"),
    ]
    assert str(config.where("environments.production.gates[1]")) == "mlops.yaml:14"
    twice = refused(BASE + text + "      - accuracy >= 0.9\n")
    assert twice.where == "mlops.yaml:15: environments.production.gates[2]"


def test_a_champion_that_is_no_environment_is_refused() -> None:
    assert "no environment 'prod'" in refused(BASE + "champion: prod\nenvironments: {production: {}}\n").message


def test_a_label_cannot_carry_an_expression_into_a_workflow() -> None:
    assert refused(BASE + "runner: {labels: '${{ secrets.X }}'}\n").where.startswith("mlops.yaml:9: runner.labels")
    assert refused(BASE + "runner: {labels: []}\n").where == "mlops.yaml:9: runner.labels"
    assert "GITHUB_" in refused(BASE + "runner: {secrets: [A, github_token]}\n").advice


def test_the_reference_in_docs_is_what_the_code_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == reference.markdown(), "mlops-ci config --reference > docs/settings.md"


def test_every_key_is_documented() -> None:
    assert [key.name for key in keys() if not key.description] == []


def test_the_schema_takes_what_the_parser_takes() -> None:
    schema = load.schema()
    split = schema["$defs"]["Split"]["properties"]
    assert split["holdout"]["type"] == ["number", "string"]
    assert {"type": "string"} in schema["$defs"]["Data"]["properties"]["id"]["anyOf"]
    assert schema["$defs"]["GateSetting"]["anyOf"][0] == {"type": "string"}
    assert schema["$defs"]["Keys"]["additionalProperties"] is False
    json.dumps(schema)


def test_effective_settings_read_back_as_the_same_settings() -> None:
    config = parse(FULL)
    text = "\n".join(reference.lines(load.effective(config)))
    # Durations and defaults are shown as read; the keys that hold them are written as people write them.
    text = text.replace("timeout: 1800", "timeout: 30m").replace("holdout: 0.2", "holdout: 20%")
    text = "\n".join(line for line in text.splitlines() if "soak:" not in line)
    assert load.effective(parse(text)) == load.effective(config)


def test_a_metric_of_ones_own_has_a_short_form_and_a_long_one() -> None:
    lines = "metrics:\n  net_profit: pipeline.metrics:net_profit\n  cost:\n    function: pipeline.metrics:cost\n"
    more = "    higher_is_better: false\n    range: [0, 2.5]\n    unit: EUR\n"
    found = parse(BASE + lines + more).metrics
    assert found["net_profit"].function == "pipeline.metrics:net_profit"
    assert (found["net_profit"].higher_is_better, found["net_profit"].range) == (None, None)
    cost = found["cost"]
    assert (cost.higher_is_better, cost.range, cost.unit) == (False, (0.0, 2.5), "EUR")


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("net profit: a.b:c", "cannot be a metric's name"),
        ("_x: a.b:c", "cannot be a metric's name"),
        ("x.y: a.b:c", "cannot be a metric's name"),
        ("x: pipeline/metrics.py", "found 'pipeline/metrics.py'"),
        ("x: 3", "the number 3"),
        ("x: {range: [0, 1]}", "metrics.x.function is missing"),
        ("x: {function: a.b:c, range: [1, 0]}", "a list of 2"),
        ("x: {function: a.b:c, range: [0, 1, 2]}", "a list of 3"),
        ("x: {function: a.b:c, range: [0, .inf]}", "a list of 2"),
        ("x: {function: a.b:c, range: [0, yes]}", "a list of 2"),
        ("x: {function: a.b:c, range: 1}", "the number 1"),
        ("x: {function: a.b:c, higher_is_better: 1}", "the number 1"),
        ("x: {function: a.b:c, higher_is_beter: true}", "no key 'higher_is_beter'"),
    ],
)
def test_a_metric_of_ones_own_that_cannot_be_is_refused(metric: str, words: str) -> None:
    error = refused(BASE + f"metrics:\n  {metric}\n")
    assert words in error.message
    assert error.where.startswith("mlops.yaml:10")
