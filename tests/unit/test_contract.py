from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.data.contract import (
    ColumnTerms,
    Contract,
    DuplicateTerms,
    FreshnessTerms,
    NewValues,
    TargetTerms,
    infer,
    parse,
    validate,
    write,
)
from mlops_ci.data.contract_infer import allowed_share
from mlops_ci.data.profile import profile
from mlops_ci.errors import ConfigError
from mlops_ci.records.outcomes import Status
from mlops_ci.records.tables import Kind, Table
from tests.unit.checks.snapshots import people, table

FILE = "data/contract.yaml"
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SHARES = st.floats(0, 1)


@st.composite
def column_terms(draw: st.DrawFn, name: str) -> ColumnTerms:
    kind = draw(st.sampled_from(Kind))
    bounds, values = None, None
    if kind in (Kind.INTEGER, Kind.FLOAT) and draw(st.booleans()):
        numbers = (
            st.integers(-(2**60), 2**60) if kind is Kind.INTEGER else st.floats(allow_nan=False, allow_infinity=False)
        )
        low, high = sorted(draw(st.tuples(numbers, numbers)))
        bounds = (draw(st.sampled_from([low, None])), draw(st.sampled_from([high, None])))
    if kind is Kind.TEXT and draw(st.booleans()):
        values = tuple(draw(st.lists(NAMES, max_size=4)))
    return ColumnTerms(
        name=name,
        kind=kind,
        optional=draw(st.booleans()),
        missing=draw(SHARES),
        range=bounds,
        values=values,
        new_values=draw(st.sampled_from(NewValues)) if values is not None else NewValues.FORBID,
        unique=draw(st.booleans()),
        infinite=draw(st.booleans()),
        predicts_target=draw(st.booleans()),
    )


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    names = draw(st.lists(NAMES, unique=True, max_size=4))
    target = TargetTerms(
        column=draw(NAMES),
        shares=tuple((name, draw(SHARES)) for name in draw(st.lists(NAMES, unique=True, max_size=3))),
        tolerance=draw(SHARES),
    )
    return Contract(
        columns=tuple(draw(column_terms(name)) for name in names),
        rows_at_least=draw(st.integers(0, 10**9)),
        other_columns=draw(st.sampled_from(NewValues)),
        duplicates=draw(
            st.none() | st.builds(DuplicateTerms, at_most=SHARES, apart_from=st.lists(NAMES, max_size=3).map(tuple))
        ),
        holdout_copies=draw(st.none() | SHARES),
        freshness=draw(
            st.none() | st.builds(FreshnessTerms, column=NAMES, at_most_days=st.sampled_from([1.0, 0.5, 45.0]))
        ),
        target=draw(st.none() | st.just(target)),
        notes=tuple((f"columns.{name}", draw(NAMES)) for name in names),
    )


@given(contracts())
def test_what_is_written_is_read_back(contract: Contract) -> None:
    assert parse(write(contract), file=FILE) == contract


def inferred(snapshot: Table, **given: object) -> Contract:
    return infer(snapshot, profile(snapshot), **given)  # type: ignore[arg-type]


def failures(contract: Contract, snapshot: Table, as_of: str = "") -> list[str]:
    results = validate(contract, profile(snapshot), snapshot, as_of=as_of)
    return [
        f"{r.check} {r.column or ''}".strip() for r in results if r.status is Status.FAILED and r.check != "contract"
    ]


def test_next_month_of_the_same_process_passes_the_inferred_contract() -> None:
    contract = inferred(table(**people(0)), target="rich", id=["id"])
    for month in range(1, 31):
        assert failures(contract, table(**people(month))) == []


def test_each_row_reads_well_and_says_how_it_came_to_be() -> None:
    columns = {
        "age": np.arange(18, 88),
        "plan": ["monthly", "annual"] * 35,
        "no": ["yes"] * 70,
        "when": np.arange("2024-01-01", "2024-03-11", dtype="datetime64[D]"),
    }
    text = write(inferred(table(**columns)))
    assert "rows: {at_least: 35}" in text
    assert "  age: {kind: integer, missing: 5%, range: [0, 122]}" in text
    assert "# seen 18 to 87" in text
    assert "  plan: {kind: text, missing: 5%, values: [annual, monthly]}" in text
    assert '  "no": {kind: text' in text
    assert 'range: ["2024-01-01", null]' in text


def test_the_share_that_is_allowed_leaves_room_but_not_much() -> None:
    assert allowed_share(0, 5000) == 0
    assert allowed_share(0, 100) == 0.05
    assert allowed_share(1, 100_000) == 0.01
    assert allowed_share(2331, 100_000) == 0.05
    assert allowed_share(70, 100) == 0.9
    assert allowed_share(100, 100) == 1


def test_heavy_tails_get_more_room_and_very_heavy_ones_stay_open() -> None:
    calm = np.linspace(0, 1, 5000)
    contract = inferred(table(calm=calm, heavy=np.r_[calm, 3.0][1:], wild=np.r_[calm, 900.0][1:]))
    assert [terms.range for terms in contract.columns] == [(0, 1.5), (0, 6), (0, None)]


def test_identifiers_get_no_range_and_one_that_is_the_key_is_unique() -> None:
    contract = inferred(table(id=np.arange(500), serial=np.arange(500) + 7, age=np.arange(500) % 90), id=["id"])
    by_name = {terms.name: terms for terms in contract.columns}
    assert by_name["id"].unique
    assert by_name["id"].range is None
    assert by_name["serial"].range is None
    assert not by_name["serial"].unique
    assert by_name["age"].range is not None


def test_only_text_with_few_values_is_closed_and_rarely_seen_values_only_warn() -> None:
    rows = 600
    contract = inferred(
        table(
            closed=["a", "b"] * (rows // 2),
            rare=["a"] * (rows - 2) + ["b"] * 2,
            many=[f"v{n % 60}" for n in range(rows)],
        )
    )
    assert [(terms.values, terms.new_values) for terms in contract.columns] == [
        (("a", "b"), NewValues.FORBID),
        (("a", "b"), NewValues.WARN),
        (None, NewValues.FORBID),
    ]


GIVEN = """version: 1
rows: {at_least: 3}
duplicates: {at_most: 0%, apart_from: [id]}
freshness: {column: day, at_most: 2d}
other_columns: forbid
target: {column: y, shares: {"false": 50%, "true": 50%}, tolerance: 20%}
columns:
  id: {kind: integer, unique: true}
  age: {kind: integer, range: [0, 120]}
  plan: {kind: text, missing: 25%, values: [monthly, annual]}
  x: {kind: float, range: [null, 10]}
  day: {kind: timestamp, range: ["2024-01-01", null]}
  note: {kind: text, optional: true}
  y: {kind: boolean}
"""
GOOD = {
    "id": [1, 2, 3, 4],
    "age": [20, 30, 40, 50],
    "plan": ["monthly", "annual", "annual", None],
    "x": [1.0, 2.0, 3.0, 4.0],
    "day": np.array(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04T12:00"], dtype="datetime64[us]"),
    "y": [True, False, True, False],
}
AS_OF = "2024-01-05T12:00:00Z"


def test_a_table_that_keeps_every_clause_gives_one_result_with_the_count() -> None:
    (only,) = validate(parse(GIVEN, file=FILE), profile(table(**GOOD)), table(**GOOD), as_of=AS_OF)
    assert only.status is Status.PASSED
    assert only.message == "24 of 24 clauses of the contract hold"
    assert only.numbers == {"clauses": 24, "held": 24}


@pytest.mark.parametrize(
    ("change", "expected", "said"),
    [
        ({"id": [1, 1, 3, 4]}, ["uniqueness id"], "repeats an earlier value in 1 of 4 rows"),
        ({"age": [0, -1, 120, 500]}, ["ranges age"], "2 of 4 rows (50.00%), for example -1, 500"),
        ({"age": ["20", "30", "40", "50"]}, ["types age"], "age is text; the contract says integer"),
        ({"age": [20.0, 30.0, 40.0, 50.0]}, ["types age"], "age is float; the contract says integer"),
        ({"age": None}, ["types age"], "age is not there; the contract requires it"),
        ({"plan": ["monthly", "weekly", "daily", "x"]}, ["allowed_values plan"], "“daily”, “weekly”, “x” in 3 of 4"),
        ({"plan": ["monthly", None, None, None]}, ["nulls plan"], "3 of 4 rows (75.00%); the contract allows 25%"),
        ({"x": [1.0, 2.0, 3.0, 11.5]}, ["ranges x"], "for example 11.5; the contract allows anything to 10"),
        ({"x": [1.0, 2.0, 3.0, np.inf]}, ["infinite_values x"], "infinite in 1 of 4 rows"),
        ({"x": [1, 2, 3, 4]}, [], ""),
        ({"note": ["a", "b", "c", "d"]}, [], ""),
        ({"extra": [1, 2, 3, 4]}, ["types extra"], "is not in the contract"),
        ({"y": [True, True, True, True]}, ["label_shift y"] * 2, "100.0% of rows; the contract expects 50%"),
        (
            {"day": np.array(["2023-12-31", "2024-01-01", "2024-01-01", "2024-01-01"], dtype="datetime64[us]")},
            ["freshness day", "ranges day"],
            "4.5 days before the commit; the contract allows 2",
        ),
    ],
)  # fmt: skip
def test_each_broken_clause_is_a_result_with_what_was_found_and_allowed(
    change: dict[str, object], expected: list[str], said: str
) -> None:
    columns = {name: values for name, values in {**GOOD, **change}.items() if values is not None}
    contract, snapshot = parse(GIVEN, file=FILE), table(**columns)
    assert failures(contract, snapshot, AS_OF) == expected
    results = validate(contract, profile(snapshot), snapshot, as_of=AS_OF)
    assert said in " ".join(result.message for result in results)
    broken = [result for result in results if result.status is Status.FAILED and result.check != "contract"]
    assert all(result.where is not None and result.where.line for result in broken)


def test_rows_that_repeat_under_another_id_are_counted() -> None:
    twice = {name: np.array(values)[[0, 1, 1, 2]] for name, values in GOOD.items() if name != "plan"}
    twice |= {"plan": ["monthly"] * 4, "id": [1, 2, 3, 4], "y": [True, False, False, True]}
    assert failures(parse(GIVEN, file=FILE), table(**twice), AS_OF) == ["duplicates", "freshness day"]


def test_too_few_rows_fail() -> None:
    few = {name: values[:2] for name, values in GOOD.items()}
    assert "row_count" in failures(parse(GIVEN, file=FILE), table(**few), AS_OF)


def test_new_values_that_only_warn_do_not_block() -> None:
    contract = parse("version: 1\ncolumns:\n  a: {kind: text, values: [x], new_values: warn}\n", file=FILE)
    first, count = validate(contract, profile(table(a=["x", "z"])), table(a=["x", "z"]))
    assert (first.status, first.blocking) == (Status.FAILED, False)
    assert (count.status, count.message) == (Status.PASSED, "2 of 3 clauses of the contract hold")


@pytest.mark.parametrize(
    ("line", "where", "says"),
    [
        ("  age: {kind: integr}", "data/contract.yaml:3: columns.age.kind", "integer"),
        ("  age: {kind: integer, mising: 1%}", "data/contract.yaml:3: columns.age.mising", "Did you mean missing?"),
        ("  age: {kind: integer, missing: 101%}", "data/contract.yaml:3: columns.age.missing", "0% to 100%"),
        ("  age: {kind: integer, range: [5, 1]}", "data/contract.yaml:3: columns.age.range", "lower bound first"),
        ("  age: {kind: text, range: [1, 5]}", "data/contract.yaml:3: columns.age.range", "numbers and times"),
        ("  age: {kind: date, range: [soon, null]}", "data/contract.yaml:3: columns.age.range", "2024-01-31"),
        ("  age: {kind: text, values: [1]}", "data/contract.yaml:3: columns.age.values[0]", "quotes"),
        ("  age: {kind: integer, values: [a]}", "data/contract.yaml:3: columns.age.values", "range"),
        ("  age: {missing: 1%}", "data/contract.yaml:3: columns.age", "kind"),
        ("  age: 5", "data/contract.yaml:3: columns.age", "a mapping"),
        ("colums: {}", "data/contract.yaml:3: colums", "Did you mean columns?"),
    ],
)
def test_a_contract_that_cannot_be_used_says_where_and_what_is_allowed(line: str, where: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"version: 1\ncolumns:\n{line}\n", file=FILE)
    assert caught.value.where == where
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["columns: {}\n", "version: 2\ncolumns: {}\n", "version: 1\n", "- a\n"])
def test_a_contract_needs_its_version_and_columns(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text, file=FILE)


def test_an_empty_table_breaks_clauses_and_nothing_else() -> None:
    empty = table(**{name: np.array(values)[:0] for name, values in GOOD.items() if name != "plan"})
    assert "row_count" in failures(parse(GIVEN, file=FILE), empty, AS_OF)
    assert isinstance(inferred(table(a=np.array([], dtype=float))), Contract)
