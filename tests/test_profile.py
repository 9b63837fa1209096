"""Curves and the map of the report, recomputed without the core."""

import json

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.decomposition import PCA

import fast_select
from fast_select import _core
from fast_select.cli._output import to_json


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(29)
    return rng.normal(size=(5000, 6)) ** 3 + rng.integers(0, 3, size=(5000, 1)) * 4


@pytest.fixture(scope="module")
def judged(data):
    """What is told of 200 rows, Z and the rows."""
    rows = np.sort(np.random.default_rng(3).choice(5000, 200, replace=False))
    params = _core.Params("evaluate", n_random=3)
    prepared = _core.prepare(data, params)
    return _core.evaluate(prepared, rows, params), prepared.features.astype(float), rows


def test_the_farthest_rows_are_those_of_all(judged):
    told, z, rows = judged
    distances, nearest = cKDTree(z[rows]).query(z)
    order = np.argsort(distances)[::-1][:24]
    farthest = told["distances"]["farthest"]
    assert [far["row"] for far in farthest] == order.tolist()
    assert [far["pick"] for far in farthest] == rows[nearest[order]].tolist()
    assert [far["distance"] for far in farthest] == pytest.approx(distances[order], rel=1e-4)
    assert farthest[0]["distance"] == told["selection"]["coverage_max"]


def test_quantiles_of_distances_and_their_mean_over_draws(data):
    # Few enough rows that none is left out of the sample.
    x = data[:1500]
    params = _core.Params("evaluate", n_random=2)
    prepared = _core.prepare(x, params)
    told = _core.evaluate(prepared, np.arange(100), params)["distances"]
    z = prepared.features.astype(float)
    distances = cKDTree(z[:100]).query(z)[0]
    assert told["levels"] == pytest.approx(np.linspace(0, 1, 41))
    assert told["selection"] == pytest.approx(np.quantile(distances, told["levels"]), abs=1e-3)
    assert len(told["random"]) == 41
    assert all(a <= b for a, b in zip(told["random"], told["random"][1:], strict=False))


def test_moduli_fall_from_one_to_the_noise_of_a_pick(judged):
    told, z, rows = judged
    cf = told["characteristic_function"]
    assert cf["radii"] == [0.25, 0.5, 1, 2, 4]
    rng = np.random.default_rng(0)
    for at, radius in enumerate(cf["radii"]):
        phases = z @ (radius * rng.normal(size=(6, 4000)))
        for key, part in (("whole", phases), ("selection", phases[rows])):
            expected = np.abs(np.exp(1j * part).mean(axis=0))
            error = expected.std() / np.sqrt(128)
            assert abs(cf[key][at] - expected.mean()) < 5 * error, (key, radius)


def test_the_map_is_that_of_the_two_leading_components(data, judged):
    told, z, rows = judged
    found = told["map"]
    pca = PCA(2).fit(z)
    assert found["explained"] == pytest.approx(pca.explained_variance_ratio_, rel=1e-4)
    for places in (found["rows"], found["selected"]):
        ours = np.column_stack([places["x"], places["y"]])
        theirs = pca.transform(z[places["row"]])
        signs = np.sign((ours * theirs).sum(axis=0))
        assert np.abs(ours - signs * theirs).max() < 2e-3
    assert len(found["rows"]["row"]) == 2000
    assert found["selected"]["row"] == rows.tolist()


def test_many_columns_explain_of_the_input_what_they_keep():
    x = np.random.default_rng(1).normal(size=(400, 90))
    map_ = fast_select.select(x, count=20, n_random=0).report["map"]
    expected = PCA(2).fit(x).explained_variance_ratio_
    # Two of ninety nearly equal ones: the subspace iteration is near them, not on them.
    assert map_["explained"] == pytest.approx(expected, rel=0.05)


def test_classes_on_the_map_and_rows_left_out(data):
    x = data[:600].copy()
    x[[0, 17, 300]] = np.nan
    labels = np.array(["b", "a", "c"])[np.arange(600) % 3]
    selection = fast_select.select(x, labels=labels, count=60, nonfinite="drop", n_random=2)
    map_, classes = selection.report["map"], selection.report["selection"]["classes"]
    names = np.array([each["label"] for each in classes])
    for places in (map_["rows"], map_["selected"]):
        assert (names[places["class"]] == labels[places["row"]]).all()
    assert not {0, 17, 300} & set(map_["rows"]["row"])
    assert map_["selected"]["row"] == selection.indices.tolist()
    assert len(map_["rows"]["row"]) == 597


@pytest.mark.parametrize("x", [np.ones((50, 3)), np.arange(50.0)[:, None], np.ones((1, 1))])
def test_what_has_no_plane_has_a_map_of_zeros(x):
    report = fast_select.select(x, count=1, n_random=0).report
    assert not any(report["map"]["rows"]["y"])
    assert report["quality"]["distances"]["random"] is None
    assert report["quality"]["characteristic_function"]["random"] is None
    assert len(report["quality"]["distances"]["farthest"]) == min(24, len(x))


def test_numbers_stand_on_one_line_and_text_as_it_is():
    report = {"a": [1, 2.5, -3e-07], "b": ["[ 1 ]", "[\n1\n]"], "c": [], "d": [[1], [2]]}
    text = to_json(report)
    assert json.loads(text) == report
    assert '"a": [1, 2.5, -3e-07],\n' in text
