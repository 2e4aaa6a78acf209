"""Times in which an environment does not change: `Fri 15:00 - Mon 08:00 Europe/Berlin`, every week, or by dates."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

ALLOWED = (
    "Allowed: `Fri 15:00 - Mon 08:00 Europe/Berlin` (every week), `2026-12-19 - 2027-01-03 Europe/Berlin` (whole days) "
    "or `2026-12-19 18:00 - 2027-01-03 08:00 UTC`."
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = r"(\d{2}:\d{2})"
_WEEKLY = re.compile(rf"([A-Za-z]{{3}}) {_CLOCK} - ([A-Za-z]{{3}}) {_CLOCK} (\S+)")
_DATED = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?: {_CLOCK})? - (\d{{4}}-\d\d-\d\d)(?: {_CLOCK})? (\S+)")
_WEEK = timedelta(days=7)


class Weekly(msgspec.Struct, frozen=True, kw_only=True):
    """Every week, on the clocks of `zone`: from `begins` after Monday 00:00, for `length`."""

    text: str
    zone: str
    begins: timedelta
    length: timedelta

    def covers(self, moment: datetime) -> datetime | None:
        """When the freeze ends that holds at `moment`, in UTC (both have a time zone); None where none does.

        An hour that the clocks go through twice is frozen twice.
        """
        zone = ZoneInfo(self.zone)
        local = moment.astimezone(zone).replace(tzinfo=None)
        monday = datetime.combine(local.date() - timedelta(days=local.weekday()), time())
        begins = monday + self.begins if monday + self.begins <= local else monday + self.begins - _WEEK
        ends = begins + self.length
        return ends.replace(tzinfo=zone).astimezone(UTC) if local < ends else None


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """Once, between two times on the clocks of `zone`."""

    text: str
    zone: str
    begins: datetime
    ends: datetime

    def covers(self, moment: datetime) -> datetime | None:
        """As that of every week."""
        zone = ZoneInfo(self.zone)
        local = moment.astimezone(zone).replace(tzinfo=None)
        return self.ends.replace(tzinfo=zone).astimezone(UTC) if self.begins <= local < self.ends else None


Window = Weekly | Dated


def parse(text: str) -> Window:
    """ValueError with what is wrong, in words."""
    plain = " ".join(text.replace("–", "-").split())
    if found := _WEEKLY.fullmatch(plain):
        begins, ends = _of_week(found[1], found[2]), _of_week(found[3], found[4])
        if begins == ends:
            raise ValueError("it begins and ends at the same time")
        return Weekly(text=plain, zone=_zone(found[5]), begins=begins, length=(ends - begins) % _WEEK)
    if found := _DATED.fullmatch(plain):
        first, last = _moment(found[1], found[2]), _moment(found[3], found[4])
        last += timedelta(days=0 if found[4] else 1)  # a day without a time is frozen whole
        if last <= first:
            raise ValueError("it ends before it begins")
        return Dated(text=plain, zone=_zone(found[5]), begins=first, ends=last)
    raise ValueError("it is no window with a time zone")


def _of_week(day: str, clock: str) -> timedelta:
    if day.lower() not in _DAYS:
        raise ValueError(f"{day!r} is no day: {', '.join(one.capitalize() for one in _DAYS)}")
    at = _time(clock)
    return timedelta(days=_DAYS.index(day.lower()), hours=at.hour, minutes=at.minute)


def _moment(day: str, clock: str | None) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), _time(clock or "00:00"))
    except ValueError as error:
        raise ValueError(f"{day} {clock or ''}: {error}") from error


def _time(clock: str) -> time:
    try:
        return time.fromisoformat(clock)
    except ValueError as error:
        raise ValueError(f"{clock!r} is no time of a day") from error


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone such as Europe/Berlin or UTC") from error
    return name
