"""The first model: gradient-boosted trees on every column. Make it yours; mlops-ci only calls `train`."""

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import <%= estimator %>
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

TARGET = <%= target %>


def train(frame, params, seed):
    """Fit on the training rows; what is returned is asked with the columns it was fitted on."""
    features = frame.drop(columns=TARGET)
    times = list(features.select_dtypes("datetime").columns)
    numbers = list(features.select_dtypes(["number", "bool"]).columns)
    words = [name for name in features.columns if name not in times + numbers]
    columns = ColumnTransformer(
        [
            ("numbers", "passthrough", numbers),
            ("times", FunctionTransformer(parts_of_time), times),
            ("words", make_pipeline(FunctionTransformer(as_words), rare_words_together()), words),
        ]
    )
    are_words = [False] * (len(numbers) + 4 * len(times)) + [True] * len(words)
    trees = <%= estimator %>(**params, categorical_features=are_words, random_state=seed)
    return make_pipeline(columns, trees).fit(features, frame[TARGET])


def parts_of_time(frame):
    """Year, month, weekday and hour of every time column."""
    parts = ("year", "month", "day_of_week", "hour")
    return pd.DataFrame({f"{name} {part}": getattr(frame[name].dt, part) for name in frame for part in parts})


def as_words(frame):
    """Text, and what is mixed, as plain words; gaps stay gaps."""
    return frame.astype(object).where(frame.notna(), None).map(str, na_action="ignore")


def rare_words_together():
    """Codes for words; rare and unknown ones share a code, as trees can tell 255 apart."""
    return OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1, max_categories=200
    )
