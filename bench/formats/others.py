"""Models that need more than an estimator behind scikit-learn's usual steps; and the boosters."""

from __future__ import annotations

from bench.formats.tables import HELD, pipeline, table


def other_cases():
    """Models that need more than an operator: odd names, columns nobody uses, searches, labels that are no text."""
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    frame, target = table("missing", "binary")
    frame = frame.assign(a=frame["a"].fillna(0), flag=frame["b"] > 30, seen=1_700_000_000 + 997 * frame["count"])
    frame["a name, é"] = frame["b"] * 2
    frame["day"] = pd.to_datetime("2024-01-01") + pd.to_timedelta(frame["count"], "D")
    numbers, positive = ["a", "b", "count", "flag"], target == "yes"
    encoder = OneHotEncoder(handle_unknown="ignore")
    picked = ColumnTransformer([("n", StandardScaler(), ["a", "a name, é"]), ("o", encoder, ["colour", "count"])])
    trees = DecisionTreeClassifier(max_depth=3, random_state=0)
    grid = GridSearchCV(make_pipeline(StandardScaler(), trees), {"decisiontreeclassifier__max_depth": [2, 3]}, cv=2)
    voting = VotingClassifier([("line", LogisticRegression()), ("tree", trees)], voting="soft")
    native = HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=5, categorical_features=["count"])
    for name, model, columns, labels in (
        ("odd names, and a date nobody uses", make_pipeline(picked, LogisticRegression()), list(frame), target),
        ("a search", grid, numbers, target),
        ("a vote", voting, numbers, target),
        ("a function", make_pipeline(FunctionTransformer(np.cbrt), LogisticRegression()), numbers, target),
        ("categorical numbers", native, numbers, target),
        ("large integers", make_pipeline(StandardScaler(), LogisticRegression()), [*numbers, "seen"], target),
        ("labels true and false", RandomForestClassifier(5, random_state=0), numbers, positive),
        ("labels 3 and 7", RandomForestClassifier(5, random_state=0), numbers, np.where(positive, 7, 3)),
    ):
        model.fit(frame[columns][:HELD], labels[:HELD])
        yield name, "other", "binary", model, frame[columns][HELD:].reset_index(drop=True), labels


def booster_cases():
    """XGBoost, LightGBM and CatBoost, behind preprocessing and alone, where they are installed."""
    import catboost
    import lightgbm
    import numpy as np
    import xgboost
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    light = {"n_estimators": 10, "verbose": -1, "random_state": 0, "min_child_samples": 5}
    cat = {"iterations": 10, "depth": 3, "verbose": 0, "random_seed": 0, "allow_writing_files": False}
    extreme = {"n_estimators": 10, "random_state": 0, "max_depth": 3}
    for one in (
        lightgbm.LGBMClassifier(**light),
        lightgbm.LGBMRegressor(**light),
        xgboost.XGBClassifier(**extreme),
        xgboost.XGBRegressor(**extreme),
        catboost.CatBoostClassifier(**cat),
        catboost.CatBoostRegressor(**cat),
    ):
        name = type(one).__name__
        for wanted in ("binary", "multiclass") if name.endswith("Classifier") else ("regression",):
            for kind in ("alone",) if name.startswith("CatBoost") else ("numbers", "missing", "alone"):
                frame, target = table("missing" if kind == "alone" else kind, wanted)
                if name == "XGBClassifier":
                    target = np.unique(target, return_inverse=True)[1]
                frame = frame[["a", "b", "count"]] if kind == "alone" else frame
                model = clone(one) if kind == "alone" else pipeline(clone(one), kind)
                if kind == "numbers":  # a search keeps the model as it was made beside the one that was fitted
                    model = GridSearchCV(model, {f"{model.steps[-1][0]}__n_estimators": [10]}, cv=2)
                model.fit(frame[:HELD], target[:HELD])
                yield name, kind, wanted, model, frame[HELD:].reset_index(drop=True), target
