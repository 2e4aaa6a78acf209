"""environments/NAME.yaml: read strictly, changed with what people wrote beside it kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config.environment_file import parse, written
from mlops_ci.errors import ConfigError
from mlops_ci.records.environments import EnvironmentFile, Quarantined, ReleaseRef

FILE = "environments/production.yaml"
V3 = ReleaseRef(release="v3", bundle="3" * 64, image=f"ghcr.io/acme/flights@sha256:{'a' * 64}")
V4 = ReleaseRef(release="v4", bundle="4" * 64)
SLOW = Quarantined(bundle="3" * 64, release="v3", reason="too slow: 300 ms", by="Ada Example")
COMMENTED = f"""# Ours.

release: v3  # since the summer
bundle: "{"3" * 64}"
# The image of the server.
image: ghcr.io/acme/flights@sha256:{"a" * 64}
decision: "{"d" * 64}"

quarantine:
  # of last year
  - bundle: "{"1" * 64}"
    release: v1
    reason: wrong for JFK
    by: Grace

# The end.
"""


def test_a_first_file_has_a_key_a_line() -> None:
    text = written("# What runs.\n", V3, "d" * 64, None, file=FILE)
    assert text == (f'# What runs.\nrelease: v3\nbundle: "{"3" * 64}"\nimage: "{V3.image}"\ndecision: {"d" * 64}\n')
    assert parse(text, file=FILE) == EnvironmentFile(runs=V3, decision="d" * 64)


def test_remarks_order_and_entries_of_people_stay() -> None:
    text = written(COMMENTED, V4, "e" * 64, SLOW, file=FILE)
    assert text == (
        COMMENTED.replace("v3  #", "v4  #")
        .replace('"' + "3" * 64 + '"', '"' + "4" * 64 + '"')
        .replace(f"image: {V3.image}\n", "")
        .replace('"' + "d" * 64 + '"', "e" * 64)
        .replace(
            "    by: Grace\n",
            "    by: Grace\n"
            f'  - bundle: "{"3" * 64}"\n'
            "    release: v3\n"
            '    reason: "too slow: 300 ms"\n'
            '    by: "Ada Example"\n',
        )
    )


def test_what_is_quarantined_already_is_not_there_twice() -> None:
    once = written(COMMENTED, V4, "e" * 64, SLOW, file=FILE)
    assert written(once, V4, "e" * 64, SLOW, file=FILE) == once


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("release: v3\n", "environments/production.yaml:1: bundle is missing"),
        (f"release: 3\nbundle: {'3' * 64}\ndecision: {'d' * 64}\n", f"{FILE}:1: release: found the number 3"),
        (COMMENTED.replace("release: v3", "relase: v3"), f"{FILE}:3: relase: there is no key 'relase'"),
        (COMMENTED.replace("@sha256:", ":latest-"), f"{FILE}:6: image: found the text"),
        (COMMENTED.replace("    by: Grace\n", ""), f"{FILE}:11: quarantine[0]: by is missing"),
        (COMMENTED.replace("reason: wrong", 'reason: "a\\nb"\n    x: wrong'), f"{FILE}:14: quarantine[0].x"),
        ("- a\n", f"{FILE}:1: found a list of 1"),
    ],
)
def test_anything_else_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, file=FILE)
    where = f"{caught.value.where}: " if caught.value.where else ""
    assert f"{where}{caught.value.message}".startswith(told)


def test_a_value_on_a_line_of_its_own_is_not_guessed_at() -> None:
    folded = f'release:\n  v3\nbundle: "{"3" * 64}"\ndecision: "{"d" * 64}"\n'
    assert parse(folded, file=FILE).runs == ReleaseRef(release="v3", bundle="3" * 64)
    with pytest.raises(ConfigError, match="nothing can be put into it"):
        written(folded, V4, "e" * 64, None, file=FILE)


TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=60)


@given(TEXTS, TEXTS)
def test_whatever_people_give_as_a_reason_reads_back(reason: str, by: str) -> None:
    kept = Quarantined(bundle="3" * 64, release="v3", reason=reason, by=by)
    text = written(COMMENTED, V4, "e" * 64, kept, file=FILE)
    assert parse(text, file=FILE).quarantined("3" * 64) == kept
