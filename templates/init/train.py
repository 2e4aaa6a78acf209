"""The first model: gradient-boosted trees on numbers and words. Make it yours; mlops-ci only calls `train`."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import <%= estimator %>
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

TARGET = <%= target %>
MOST_WORDS = 200  # a column with more distinct texts is left out, as a name or an id would be; trees tell 255 apart


def train(frame, params, seed):
    """Fit on the training rows; what is returned is asked with the columns it was fitted on.

    Times are left out: make numbers of them, such as hour and weekday, where the data are prepared (`data.prepare`).
    """
    features = frame.drop(columns=TARGET)
    numbers = list(features.select_dtypes(["number", "bool"]).columns)
    texts = features.select_dtypes(exclude=["number", "bool", "datetime"])
    words = [name for name in texts if texts[name].nunique() <= MOST_WORDS]
    columns = ColumnTransformer([("words", codes(), words), ("numbers", "passthrough", numbers)])
    trees = <%= estimator %>(**params, categorical_features=range(len(words)), random_state=seed)
    return make_pipeline(columns, trees).fit(features[words + numbers], frame[TARGET])


def codes():
    """A number for each word; one that was never seen counts as missing."""
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
