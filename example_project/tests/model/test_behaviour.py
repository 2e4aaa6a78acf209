"""What the model must do beyond its numbers. mlops-ci gives the fixtures predict, behaviour, holdout and predictions."""

import numpy as np
import pytest

ROWS = 2000
TARGET = "late"


@pytest.fixture
def flights(holdout):
    """A fixed sample of held-out flights: enough to see an effect, few enough to ask often."""
    return holdout.sample(min(ROWS, len(holdout)), random_state=0).reset_index(drop=True)


def test_storms_make_flights_later(predict, flights):
    """The same flights in fog and heavy rain: the average risk rises, and for at least nine flights in ten."""
    storm = flights.assign(visib=0.5, visib_6h=0.5, precip=0.3, precip_6h=0.8, humid=95.0)
    clear = flights.assign(visib=10.0, visib_6h=10.0, precip=0.0, precip_6h=0.0, humid=50.0)
    rise = predict.proba(storm) - predict.proba(clear)
    assert rise.mean() >= 0.05
    assert (rise > 0).mean() >= 0.90


def test_worse_sight_is_not_safer(predict, flights):
    """Less visibility, all else equal, must not lower the average risk by more than noise."""
    seen = predict.proba(flights.assign(visib=10.0, visib_6h=10.0)).mean()
    unseen = predict.proba(flights.assign(visib=0.5, visib_6h=0.5)).mean()
    assert unseen >= seen - 0.01


def test_evenings_are_riskier_than_mornings(predict, behaviour, flights):
    """Delays add up over the day. The same flight at 19:00 is riskier than at 7:00, and an hour later is no safer.

    How often the latter holds is counted by day: 32 days of which none is an exception show 91 %, not more.
    """
    length = (flights.arrival_minute - flights.departure_minute) % (24 * 60)
    morning, evening = (
        predict.proba(flights.assign(departure_minute=at * 60, arrival_minute=(at * 60 + length) % (24 * 60)))
        for at in (7, 19)
    )
    assert evening.mean() - morning.mean() >= 0.05
    assert (evening > morning).mean() >= 0.90
    hour = {"departure_minute": 60, "arrival_minute": 60}
    behaviour.direction(flights, raise_by=hour, then="not lower", tolerance=0.02, at_least="90%")


def test_values_never_seen_get_a_sober_answer(predict, behaviour, flights):
    """A new airline, airport or aircraft maker must not crash the model, make every flight late or turn many answers."""
    usual = predict.proba(flights).mean()
    for column in ("carrier", "dest", "manufacturer", "origin"):
        risk = predict.proba(flights.assign(**{column: "never seen"}))
        assert np.isfinite(risk).all(), column
        assert abs(risk.mean() - usual) <= 0.10, column
    new = dict.fromkeys(("carrier", "dest", "manufacturer"), "never seen")
    behaviour.invariant(flights, change=new, at_least="80%")


def test_unknown_aircraft_and_missing_weather_get_an_answer(predict, flights):
    unknown = ["plane_age", "seats", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "pressure", "visib"]
    risk = predict.proba(flights.assign(**dict.fromkeys(unknown, np.nan), manufacturer=None))
    assert ((risk > 0) & (risk < 1)).all()


def test_the_order_of_columns_and_rows_does_not_matter(predict, flights):
    backwards = flights[flights.columns[::-1]].iloc[::-1]
    np.testing.assert_array_equal(predict.proba(backwards)[::-1], predict.proba(flights))


def test_risk_means_what_it_says(holdout, predictions):
    """Over all held-out days the mean risk is within 6 points of the share that was late (two standard errors)."""
    assert abs(predictions.score.mean() - holdout[TARGET].astype(bool).mean()) <= 0.06


def test_the_riskiest_tenth_is_late_three_times_as_often_as_the_safest(holdout, predictions):
    late = holdout[TARGET].astype(bool).to_numpy()[np.argsort(predictions.score.to_numpy(), kind="stable")]
    tenth = len(late) // 10
    assert late[-tenth:].mean() >= 3 * late[:tenth].mean()
