"""Freeze windows: weekly ones over a weekend and over the change of clocks, dated ones, and what is no window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config.freeze import parse

WEEKEND = "Fri 15:00 - Mon 08:00 Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-11-27 14:59", None),
        ("2026-11-27 15:00", "2026-11-30 08:00"),
        ("2026-11-29 23:59", "2026-11-30 08:00"),
        ("2026-11-30 07:59", "2026-11-30 08:00"),
        ("2026-11-30 08:00", None),
        ("2026-11-25 12:00", None),
        ("2026-03-29 03:30", "2026-03-30 08:00"),  # the clocks went forward an hour before
        ("2026-10-25 02:30", "2026-10-26 08:00"),  # and back
    ],
)
def test_a_weekend_is_frozen_on_the_clocks_of_its_zone(moment: str, ends: str | None) -> None:
    found = parse(WEEKEND).covers(at(moment).astimezone(UTC))
    assert found == (at(ends).astimezone(UTC) if ends else None)


@pytest.mark.parametrize(
    ("text", "moment", "frozen"),
    [
        ("2026-12-19 - 2027-01-03 Europe/Berlin", "2026-12-18 23:59", False),
        ("2026-12-19 - 2027-01-03 Europe/Berlin", "2026-12-19 00:00", True),
        ("2026-12-19 - 2027-01-03 Europe/Berlin", "2027-01-03 23:59", True),
        ("2026-12-19 - 2027-01-03 Europe/Berlin", "2027-01-04 00:00", False),
        ("2026-12-19 18:00 – 2026-12-19 20:00 Europe/Berlin", "2026-12-19 19:59", True),
        ("2026-12-19 18:00 - 2026-12-19 20:00 UTC", "2026-12-19 20:30", True),
        ("mon 09:00 - mon 10:00 Europe/Berlin", "2026-11-30 09:30", True),
        ("Mon 10:00 - Mon 09:00 Europe/Berlin", "2026-11-30 09:30", False),
    ],
)
def test_dates_are_whole_days_or_have_times(text: str, moment: str, *, frozen: bool) -> None:
    assert (parse(text).covers(at(moment)) is not None) is frozen


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Fri 15:00 - Mon 08:00", "it is no window with a time zone"),
        ("Fry 15:00 - Mon 08:00 UTC", "'Fry' is no day: Mon, Tue, Wed, Thu, Fri, Sat, Sun"),
        ("Fri 25:00 - Mon 08:00 UTC", "'25:00' is no time of a day"),
        ("Fri 15:00 - Mon 08:00 Europe/Berlon", "'Europe/Berlon' is no time zone such as Europe/Berlin or UTC"),
        ("Fri 15:00 - Mon 08:00 ../../etc/passwd", "'../../etc/passwd' is no time zone such as Europe/Berlin or UTC"),
        ("Fri 15:00 - Fri 15:00 UTC", "it begins and ends at the same time"),
        ("2026-12-19 - 2026-12-18 UTC", "it ends before it begins"),
        ("2026-13-19 - 2026-12-18 UTC", "2026-13-19 : month must be in 1..12"),
        ("", "it is no window with a time zone"),
    ],
)
def test_what_is_no_window_says_why(text: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == told


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))
def test_a_freeze_holds_up_to_its_end_and_not_at_it(moment: datetime) -> None:
    window = parse(WEEKEND)
    ends = window.covers(moment.replace(tzinfo=UTC))
    if ends is not None:
        assert timedelta(0) < ends - moment.replace(tzinfo=UTC) <= timedelta(days=2, hours=18)
        assert window.covers(ends) is None
        assert window.covers(ends - timedelta(seconds=1)) == ends
