"""Will a flight arrive more than 15 minutes late? Gradient boosting over what is known before it leaves."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

TARGET = "late"
CATEGORIES = ["carrier", "origin", "dest", "manufacturer"]
NOT_FEATURES = [TARGET, "flight_id", "time_hour", "month", "day"]
THREADS = 1  # three seconds of work: a second thread waits longer for a busy machine than it saves


def train(frame, params, seed):
    """The fitted pipeline. It finds its columns by name; a category it has never seen counts as missing."""
    numbers = [name for name in frame.columns if name not in CATEGORIES + NOT_FEATURES]
    model = Pipeline([("columns", columns(numbers)), ("trees", trees(params, seed))])
    with threadpool_limits(THREADS):
        return model.fit(frame[CATEGORIES + numbers], frame[TARGET].astype(bool))


def columns(numbers):
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    return ColumnTransformer([("codes", codes, CATEGORIES), ("numbers", "passthrough", numbers)])


def trees(params, seed):
    return HistGradientBoostingClassifier(
        **params, categorical_features=range(len(CATEGORIES)), early_stopping=False, random_state=seed
    )
