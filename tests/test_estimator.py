"""The estimator: scikit-learn's own checks, its ``clone`` and ``Pipeline``, rows of every kind."""

import copy
import inspect
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import fast_select
from fast_select import FastSelector, InvalidInputError

N = 60


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, 3))


@pytest.mark.filterwarnings("ignore:Estimator FastSelector does not inherit")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(
    "params", [{}, {"ratio": 0.3}, {"ratio": 0.05, "weights": "nearest"}, {"use_labels": False}]
)
def test_checks_of_scikit_learn_pass(params):
    check_estimator(FastSelector(n_random=0, **params))


def test_it_selects_as_select_does(x):
    y = np.arange(N) % 2
    params = {"count": 12, "weights": "nearest", "seed": 3, "n_random": 2}
    selector = FastSelector(**params)
    assert selector.fit(x, y) is selector
    expected = fast_select.select(x, labels=y, **params)
    np.testing.assert_array_equal(selector.sample_indices_, expected.indices)
    np.testing.assert_array_equal(selector.sample_weight_, expected.weights)
    assert selector.sample_weight_.sum() == N
    assert selector.selection_.report["verdict"] == expected.report["verdict"]
    assert selector.n_features_in_ == 3
    assert not hasattr(selector, "feature_names_in_")
    assert FastSelector(count=5, n_random=0).fit(x).sample_weight_ is None


def test_parameters_are_the_options_of_select_with_their_defaults():
    values = fast_select._core.Params("select").values()
    defaults = {p.name: p.default for p in inspect.signature(FastSelector).parameters.values()}
    assert defaults.pop("use_labels") is True
    assert defaults == {name: values[name] for name in defaults}
    assert set(values) == set(defaults)


def test_parameters_are_stored_set_copied_and_shown():
    balance = {"a": 1, "b": 2}
    selector = FastSelector(balance=balance, threads=2, block_rows=int("16384"))
    assert selector.get_params()["balance"] is balance
    assert repr(selector) == "FastSelector(balance={'a': 1, 'b': 2}, threads=2)"
    assert selector.set_params(seed=7, threads=None) is selector
    assert clone(selector).get_params() == selector.get_params()
    with pytest.raises(InvalidInputError, match="no_such: is no parameter of FastSelector"):
        selector.set_params(seed=8, no_such=1)
    assert selector.seed == 7


@pytest.mark.parametrize("again", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_fitted_one_can_be_kept(x, again):
    selector = FastSelector(count=5, n_random=0).fit(x)
    np.testing.assert_array_equal(again(selector).sample_indices_, selector.sample_indices_)


def test_it_ends_a_pipeline(x):
    pipe = make_pipeline(StandardScaler(), FastSelector(count=6, n_random=0))
    pipe.set_params(fastselector__seed=2).fit(x, np.arange(N) % 3)
    assert pipe[-1].sample_indices_.size == 6
    assert "FastSelector(count=6" in repr(pipe)
    assert "FastSelector" in pipe._repr_html_inner()


TABLES = {
    "list": lambda x: x.tolist(),
    "numpy": lambda x: x,
    "fortran": np.asfortranarray,
    "pandas": lambda x: pd.DataFrame(x, columns=list("abc"), index=np.arange(N) + 1000),
    "polars": lambda x: pl.DataFrame(x, schema=list("abc")),
    "arrow": lambda x: pa.table(dict(zip("abc", x.T, strict=True))),
}
COLUMNS = {
    "list": lambda y: y.tolist(),
    "numpy": lambda y: y,
    "column": lambda y: y[:, None],
    "pandas": pd.Series,
    "polars": pl.Series,
    "arrow": pa.array,
}


@pytest.mark.parametrize("table", TABLES)
def test_frames_stay_frames(x, table):
    given = TABLES[table](x)
    selector = FastSelector(count=6, n_random=0)
    got, none = selector.fit_resample(given)
    rows = selector.sample_indices_
    assert none is None
    assert type(got) is type(given)
    np.testing.assert_array_equal(np.asarray(got), x[rows])
    if table in ("pandas", "polars", "arrow"):
        assert selector.feature_names_in_.tolist() == ["a", "b", "c"]
        assert not hasattr(selector.fit(x), "feature_names_in_")
    if table == "pandas":
        assert got.index.tolist() == (rows + 1000).tolist()


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("values", [np.arange(N) % 2, np.array(["no", "yes"])[np.arange(N) % 2]])
def test_targets_keep_their_kind_and_are_classes(x, column, values):
    given = COLUMNS[column](values)
    selector = FastSelector(count=6, balance="equal", n_random=0)
    _, got = selector.fit_resample(x, given)
    assert type(got) is type(given)
    picked = np.asarray(got).ravel()
    assert picked.tolist() == values[selector.sample_indices_].tolist()
    assert [entry["selected"] for entry in selector.selection_.report["selection"]["classes"]] == [
        3,
        3,
    ]


@pytest.mark.parametrize(
    "y,use_labels",
    [
        (np.linspace(0, 1, N), True),
        (np.eye(N)[:, :4], True),
        (pd.DataFrame(np.eye(N)[:, :2]), True),
        (np.arange(N) % 2, False),
    ],
)
def test_targets_that_are_no_classes_go_along(x, y, use_labels):
    selector = FastSelector(count=6, use_labels=use_labels, n_random=0)
    _, got = selector.fit_resample(x, y)
    assert selector.selection_.report["selection"]["classes"] is None
    np.testing.assert_array_equal(got, np.asarray(y)[selector.sample_indices_])


def test_constraints_go_in_where_it_is_fitted(x):
    selector = FastSelector(count=10, max_per_group=1, n_random=0)
    groups = np.arange(N) // 5
    got, _ = selector.fit_resample(x, groups=groups, include=[3], exclude=[7])
    rows = selector.sample_indices_
    assert got.shape == (10, 3)
    assert np.unique(groups[rows]).size == 10
    assert 3 in rows
    assert 7 not in rows


def test_small_ratios_give_each_class_its_least(x):
    y = np.arange(N) % 20
    assert FastSelector(ratio=0.1, n_random=0).fit(x, y).sample_indices_.size == 20
    assert FastSelector(n_random=0).fit(x).sample_indices_.size == 6
    with pytest.raises(InvalidInputError, match="count: 6 is less than the 20 rows"):
        FastSelector(count=6, n_random=0).fit(x, y)


@pytest.mark.parametrize(
    "params,y,match",
    [
        ({"ratio": 2}, None, "ratio: 2"),
        ({"ratio": 0.1, "count": 5}, None, "ratio and count"),
        ({"min_per_class": "one"}, np.arange(N) % 2, "min_per_class: 'one'"),
        ({"use_labels": "no"}, None, "use_labels: 'no'"),
        ({}, np.arange(N - 1), "y: shape"),
        ({}, np.eye(N - 1), "y: shape"),
        ({}, [None] * N, "y: row 0 holds None"),
    ],
)
def test_what_cannot_be_fitted_is_refused(x, params, y, match):
    selector = FastSelector(**params)
    with pytest.raises(InvalidInputError, match=match):
        selector.fit(x, y)
    assert not hasattr(selector, "sample_indices_")


def test_scikit_learn_is_not_needed():
    code = (
        "import sys; sys.modules['sklearn'] = None; import numpy as np, fast_select\n"
        "assert 'fast_select._estimator' not in sys.modules\n"
        "x = np.random.default_rng(0).normal(size=(50, 3))\n"
        "assert fast_select.FastSelector(n_random=0).fit_resample(x)[0].shape == (5, 3)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
