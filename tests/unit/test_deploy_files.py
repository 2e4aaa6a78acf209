"""The files that Kustomize and docker compose read: made once, then changed where they name what runs."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config.yaml import quoted, replaced
from mlops_ci.errors import ConfigError
from mlops_ci.promotion.deploy import Engine, Service, after, named
from mlops_ci.records.environments import ReleaseRef

FOLDER = "environments/production"
IMAGE = "ghcr.io/acme/flights"


def ref(number: int, image: str = IMAGE) -> ReleaseRef:
    return ReleaseRef(release=f"v{number}", bundle=f"{number:064x}", image=f"{image}@sha256:{number + 100:064x}")


def service(runs: ReleaseRef, project: str = "flights", environment: str = "production") -> Service:
    return Service(project=project, environment=environment, runs=runs, port=8000, memory=512)


def moved(engine: Engine, files: dict[str, str], runs: ReleaseRef, before: ReleaseRef | None) -> dict[str, str]:
    return {**files, **after(engine, files, service(runs), before, folder=FOLDER)}


def told(engine: Engine, text: str) -> set[tuple[str, str]]:
    return {(one.what, one.value) for one in named(engine, text, IMAGE, file="f.yaml")}


def says(runs: ReleaseRef) -> set[tuple[str, str]]:
    return {("image", runs.image), ("release", runs.release), ("bundle", f"sha256:{runs.bundle}")}


FIRST: dict[Engine, str] = {"kustomize": "kustomization.yaml", "compose": "compose.yaml"}


@pytest.mark.parametrize("engine", FIRST)
def test_the_next_release_changes_values_and_nothing_else(engine: Engine) -> None:
    first = moved(engine, {}, ref(1), None)
    name = FIRST[engine]
    assert told(engine, first[name]) == says(ref(1))
    assert moved(engine, first, ref(1), ref(1)) == first
    mine = {**first, name: f"# Ours: é\n{first[name]}\n# The end.\n"}
    second = after(engine, mine, service(ref(2)), ref(1), folder=FOLDER)
    assert list(second) == [name]
    expected = mine[name]
    for old, new in ((f"{101:064x}", f"{102:064x}"), (f"{1:064x}", f"{2:064x}"), ('"v1"', '"v2"')):
        expected = expected.replace(old, new)
    assert second[name] == expected
    assert told(engine, second[name]) == says(ref(2))


OURS = """# Kept.
resources: [../../deploy/base]   # shared
images:
- {name: nginx, newTag: '1.29'}
- name: server   # as the base calls it
  newName: ghcr.io/acme/flights
  digest: 'sha256:old'   # by a promotion
"""


def test_what_people_wrote_stays_as_they_wrote_it() -> None:
    text = moved("kustomize", {"kustomization.yml": OURS}, ref(2), ref(1))["kustomization.yml"]
    assert text == OURS.replace("'sha256:old'", f'"sha256:{102:064x}"')


COMPOSE = f"""services:
  server: {{image: "{ref(1).image}", environment: {{MLOPS_CI_RELEASE: v1}}}}
  nightly:
    image: {IMAGE}@sha256:{"b" * 64}   # batch
  proxy: {{image: "nginx:1.29"}}
"""


def test_another_image_of_the_same_repository_is_left_alone() -> None:
    text = moved("compose", {"compose.yaml": COMPOSE}, ref(2), ref(1))["compose.yaml"]
    assert text == COMPOSE.replace(ref(1).image, ref(2).image).replace("v1}", '"v2"}')
    with pytest.raises(ConfigError, match=r"does not say where the image of ghcr\.io/acme/flights belongs"):
        moved("compose", {"compose.yaml": COMPOSE}, ref(2), ref(3))


@pytest.mark.parametrize(
    ("engine", "files", "where", "words"),
    [
        ("kustomize", {"kustomization.yaml": "images: []\n"}, "kustomization.yaml", f"name: {IMAGE}, digest: "),
        (
            "kustomize",
            {"kustomization.yaml": f"images: [{{name: {IMAGE}, newTag: v1}}]\n"},
            "kustomization.yaml",
            f"name: {IMAGE}, digest: ",
        ),
        ("kustomize", {"kustomization.yaml": "images: &a []\n"}, "kustomization.yaml:1", "anchors are not read"),
        ("kustomize", {"kustomization.yaml": "- a\n"}, "kustomization.yaml", "does not say where the image"),
        ("kustomize", {"kustomization.yaml": "a: 1\n", "Kustomization": "a: 1\n"}, FOLDER, "Keep one of them"),
        ("kustomize", {"deployment.yaml": ""}, FOLDER, "or remove deployment.yaml"),
        ("compose", {"compose.yaml": f"services: {{s: {{image: '{IMAGE}:v1'}}}}\n"}, "compose.yaml", ref(2).image),
        ("compose", {"compose.yaml": "services: [a]\n"}, "compose.yaml", ref(2).image),
        (
            "compose",
            {"compose.yaml": f"services: {{s: {{image: '{ref(1).image}'}}}}\nx-ran: [\n  'D={ref(1).bundle}']\n"},
            "compose.yaml:3",
            "it names what ran before (v1) where that cannot be changed",
        ),
        (
            "compose",
            {"compose.yaml": f"services:\n  s:\n    image: >-\n      {ref(1).image}\n"},
            "compose.yaml:3",
            "over several lines",
        ),
    ],
)
def test_where_nothing_can_be_put_in_the_file_is_named_and_what_to_write(
    engine: Engine, files: dict[str, str], where: str, words: str
) -> None:
    with pytest.raises(ConfigError) as found:
        moved(engine, files, ref(2), ref(1))
    assert where in found.value.where
    assert words in str(found.value)


@pytest.mark.parametrize("engine", FIRST)
@given(
    project=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    environment=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
)
def test_whatever_a_project_is_called_the_objects_have_names(engine: Engine, project: str, environment: str) -> None:
    files = after(engine, {}, service(ref(1), project, environment), None, folder=FOLDER)
    for text in files.values():
        value = yaml.safe_load(text)  # YAML 1.1, as others read it
        name = value["metadata"]["name"] if "metadata" in value else value.get("name", "a")
        assert isinstance(name, str)
        assert len(name) <= 63
        assert name[0].isalpha()
        assert name[-1].isalnum()


@pytest.mark.parametrize("repository", ["on", "y", "1e5/null", "localhost:5000/a__b-c.d", "A.example.org/x"])
def test_whatever_a_repository_is_called_it_stays_a_text(repository: str) -> None:
    runs = ref(1, repository)
    files = after("kustomize", {}, service(runs), None, folder=FOLDER)
    assert yaml.safe_load(files["kustomization.yaml"])["images"][0]["name"] == repository
    container = yaml.safe_load(files["deployment.yaml"])["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == repository
    compose = after("compose", {}, service(runs), None, folder=FOLDER)["compose.yaml"]
    assert yaml.safe_load(compose)["services"]["server"]["image"] == runs.image


@given(value=st.text(max_size=40), other=st.text(max_size=40))
def test_any_text_can_take_the_place_of_another(value: str, other: str) -> None:
    value, other = (one.encode("utf-8", "ignore").decode() for one in (value, other))
    text = f"\ufeff# é 𝄞\na: {{b: {quoted(value)}, c: 1}} # kept\nd: [ {quoted(value)} ]\n"
    made = replaced(text, {("a", "b"): other, ("d", 0): other}, file="f.yaml")
    assert made == f"\ufeff# é 𝄞\na: {{b: {quoted(other)}, c: 1}} # kept\nd: [ {quoted(other)} ]\n"
