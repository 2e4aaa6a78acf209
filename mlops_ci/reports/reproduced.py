"""What became of making a release's model again, in lines."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_ci.records.reproduced import Differs, Likeness, Reproduced
from mlops_ci.reports import numbers

_MOST = 6
_SAID = {
    Likeness.BITS: "the model's file is the same, byte for byte",
    Likeness.PREDICTIONS: "it answers every held-out row the same; its file differs",
    Likeness.METRICS: "it answers some rows otherwise, and no metric moves by more than {tolerance}",
    Likeness.DIFFERENT: "it answers otherwise",
}


def lines(found: Reproduced) -> Iterator[str]:
    """How like, by which numbers, and what it was made from that is another one now."""
    said = _SAID[found.likeness].format(tolerance=numbers.exact(found.tolerance))
    yield f"{found.likeness}: {found.release} made again from {found.commit[:12]}: {said}"
    if found.largest_difference is None:
        yield "  rows         not compared one by one: they are not the same, or were not kept"
    else:
        differ = f"{found.labels_differ:,} of {found.rows:,} answered otherwise"
        yield f"  rows         {differ}, largest difference {found.largest_difference:.2g}"
    for one in found.metrics[:_MOST]:
        yield f"  metric       {one.metric} {one.recorded:.6g} -> {one.now:.6g}"
    if len(found.metrics) > _MOST:
        yield f"               and {numbers.plural(len(found.metrics) - _MOST, 'metric')} more"
    for differs in found.differs:
        yield f"  differs      {_told(differs)}"
    if not found.differs:
        yield "  differs      nothing it was made from: data, split, environment, libraries, version are the same"


def _told(one: Differs) -> str:
    short = 12 if one.what in ("data", "environment") else 60
    was, now = (text[:short] or "none" for text in (one.recorded, one.now))
    return f"{one.what} {was} -> {now}"
