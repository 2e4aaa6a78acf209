"""What the model must do whatever it was trained on. Ordinary pytest; `predict`, `holdout` and `predictions` are given.

Add what people in the field take for granted, and how often it must hold: "later is never cheaper", "the same person in
two towns is equal". The fixture `behaviour` counts it, and the report says whether the rows are enough to know:

    def test_later_is_rarely_cheaper(behaviour, holdout):
        behaviour.direction(holdout, raise_by={"hour": 1}, then="not lower", at_least="95%")

    def test_the_name_does_not_matter(behaviour, holdout):
        behaviour.invariant(holdout, change={"name": "Eve"}, at_least="99%")
"""

import numpy as np
<% if features %>
import pytest

FEATURES = <%= features %>
<% endif %>


def same(found, expected):
<% if task == "regression" %>
    return np.allclose(np.asarray(found, dtype=float), np.asarray(expected, dtype=float), rtol=1e-4)
<% else %>
    return (np.asarray(found).astype(str) == np.asarray(expected).astype(str)).all()
<% endif %>


def test_the_order_of_rows_does_not_matter(predict, holdout):
    rows = holdout.head(200)
    assert same(predict(rows.iloc[::-1])[::-1], predict(rows))


def test_a_row_alone_gets_the_answer_it_got_among_others(predict, holdout, predictions):
    for position in range(min(5, len(holdout))):
        assert same(predict(holdout.iloc[[position]]), predictions["label"].iloc[[position]])
<% if features %>


@pytest.mark.parametrize("column", FEATURES)
def test_a_missing_value_still_gets_an_answer(predict, holdout, column):
    rows = holdout.head(20).copy()
    rows[column] = rows[column].mask(rows[column].notna())
    assert len(predict(rows)) == len(rows)
<% endif %>
