"""The estimators that people use most, each with every kind of table and every task it has."""

from __future__ import annotations

from bench.formats.tables import HELD, KINDS, pipeline, table

THIN_TEXT = ("LogisticRegression", "RandomForestClassifier", "Ridge", "HistGradientBoostingRegressor")
"""Behind counted words is the same estimator as behind numbers: these stand for the others in the thin part."""


def native(estimator, kind):
    """Histogram gradient boosting with categories and missing values of its own, as the example project has it."""
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    if kind != "missing":
        return None
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    columns = ColumnTransformer([("codes", codes, ["colour"]), ("numbers", "passthrough", ["a", "b", "count"])])
    return make_pipeline(columns, estimator)


def estimators():
    """Name -> (estimator, task, the pipeline it is put into)."""
    from sklearn import (
        calibration,
        discriminant_analysis,
        ensemble,
        linear_model,
        naive_bayes,
        neighbors,
        neural_network,
        svm,
        tree,
    )

    few = {"n_estimators": 10, "random_state": 0}
    boosting = {"max_iter": 10, "random_state": 0, "early_stopping": False, "min_samples_leaf": 5}
    small = {"hidden_layer_sizes": (8,), "max_iter": 60, "random_state": 0}
    classifiers = [
        linear_model.LogisticRegression(),
        linear_model.SGDClassifier(loss="log_loss", random_state=0),
        linear_model.RidgeClassifier(),
        svm.LinearSVC(),
        svm.SVC(),
        neighbors.KNeighborsClassifier(),
        naive_bayes.GaussianNB(),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        tree.DecisionTreeClassifier(max_depth=5, random_state=0),
        ensemble.RandomForestClassifier(**few),
        ensemble.ExtraTreesClassifier(**few),
        ensemble.GradientBoostingClassifier(**few),
        ensemble.HistGradientBoostingClassifier(**boosting),
        ensemble.AdaBoostClassifier(**few),
        ensemble.BaggingClassifier(**few),
        neural_network.MLPClassifier(**small),
        calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), cv=2),
        ensemble.StackingClassifier([("tree", tree.DecisionTreeClassifier(max_depth=3))], cv=2),
    ]
    regressors = [
        linear_model.LinearRegression(),
        linear_model.Ridge(),
        linear_model.Lasso(alpha=0.1),
        linear_model.ElasticNet(alpha=0.1),
        linear_model.PoissonRegressor(),
        svm.SVR(),
        neighbors.KNeighborsRegressor(),
        tree.DecisionTreeRegressor(max_depth=5, random_state=0),
        ensemble.RandomForestRegressor(**few),
        ensemble.ExtraTreesRegressor(**few),
        ensemble.GradientBoostingRegressor(**few),
        ensemble.HistGradientBoostingRegressor(**boosting),
        neural_network.MLPRegressor(**small),
    ]
    for one in (*classifiers, *regressors):
        yield type(one).__name__, one, "regression" if one in regressors else "classification", pipeline
    splits = "with categorical splits"
    yield (
        f"HistGradientBoostingClassifier {splits}",
        ensemble.HistGradientBoostingClassifier(**boosting, categorical_features=[0]),
        "classification",
        native,
    )
    yield (
        f"HistGradientBoostingRegressor {splits}",
        ensemble.HistGradientBoostingRegressor(**boosting, categorical_features=[0]),
        "regression",
        native,
    )


def cases(prefixes=("",)):
    """(estimator's name, kind of table, task, fitted model, features of the held-out rows), one after the other."""
    from sklearn.base import clone

    for name, estimator, task, built in estimators():
        if not name.startswith(prefixes):
            continue
        for kind in KINDS:
            for wanted in ("regression",) if task == "regression" else ("binary", "multiclass"):
                model = built(clone(estimator), kind)
                if model is None:
                    continue
                frame, target = table(kind, wanted)
                positive = target - target.min() if "Poisson" in name else target
                model.fit(frame[:HELD], positive[:HELD])
                yield name, kind, wanted, model, frame[HELD:].reset_index(drop=True), target


def thin(name, kind, task):
    """Whether a case belongs to the part that tests make anew."""
    if kind in ("categories", "text"):
        return kind == "text" and name in THIN_TEXT and task != "multiclass"
    return kind == "numbers" or task != "multiclass" or "splits" in name
