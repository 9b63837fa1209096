"""Figures of the report, recomputed without the core."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

import fast_select
from fast_select import _core
from oracles import pairwise, prepare


def figures(x, rows, **options):
    params = _core.Params("evaluate", n_random=3, **options)
    prepared = _core.prepare(x, params)
    judged = _core.evaluate(prepared, rows, params, with_discrepancies=True)
    return judged, prepared.features.astype(np.float64)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(23)
    return rng.normal(size=(1500, 4)) ** 3 + rng.integers(0, 3, size=(1500, 1)) * 4


@pytest.fixture(scope="module")
def judged(data):
    """The figures of a pick that leans to one side, Z and the rows."""
    rows = np.sort(np.argsort(data[:, 0])[::-1][:1000:8])
    own, z = figures(data, rows)
    return own["selection"], z, rows


@pytest.mark.parametrize(
    "shape,count,far",
    [((9000, 1), 900, 0), ((9000, 3), 90, 0), ((6000, 12), 3000, 0), ((5000, 5), 1, 0),
     ((7000, 4), 700, 40), ((3000, 20), 3000, 0)],
)  # fmt: skip
def test_the_coverage_radius_is_that_of_all_rows(shape, count, far):
    rng = np.random.default_rng(count)
    x = rng.normal(size=shape)
    x[4321 % shape[0]] += far
    rows = np.sort(rng.choice(shape[0], count, replace=False))
    judged, z = figures(x, rows)
    assert judged["coverage_rows"] == 2048
    distances = cKDTree(z[rows]).query(z)[0]
    assert judged["selection"]["coverage_max"] == pytest.approx(distances.max(), rel=1e-3)
    # The mean is of a sample: within five standard errors.
    error = distances.std() / np.sqrt(2048)
    assert abs(judged["selection"]["coverage_mean"] - distances.mean()) <= 5 * error + 1e-6


def test_a_pick_of_one_side_has_its_true_radius(data):
    rows = np.sort(np.argsort(data[:, 1])[:200])
    judged, z = figures(np.tile(data, (4, 1)) + np.arange(4).repeat(1500)[:, None], rows)
    expected = cKDTree(z[rows]).query(z)[0].max()
    assert judged["selection"]["coverage_max"] == pytest.approx(expected, rel=1e-3)


def test_distances_to_the_selection(judged):
    own, z, rows = judged
    nearest = pairwise(z, z[rows]).min(axis=1)
    assert own["coverage_max"] == pytest.approx(nearest.max(), rel=1e-4)
    assert own["coverage_mean"] == pytest.approx(nearest.mean(), rel=1e-4)


def test_moments(judged):
    own, z, rows = judged
    centred = z - z.mean(axis=0)
    picked = centred[rows]
    deviations = centred.std(axis=0)
    covariance, other = (part.T @ part / len(part) for part in (centred, picked))
    expected = [
        np.linalg.norm(picked.mean(axis=0)),
        np.linalg.norm(other - covariance) / np.linalg.norm(covariance),
        *(
            np.linalg.norm((picked**k).mean(axis=0) - (centred**k).mean(axis=0))
            / np.linalg.norm(deviations**k)
            for k in (3, 4)
        ),
    ]
    got = [own[f"moment_{k}"] for k in (1, 2, 3, 4)]
    assert got == pytest.approx(expected, rel=1e-4)


def test_mmd(judged):
    own, z, rows = judged
    kernel = np.exp(-0.5 * pairwise(z, z) ** 2)
    n, m = len(z), len(rows)
    within = (kernel[np.ix_(rows, rows)].sum() - m) / (m * (m - 1))
    whole = (kernel.sum() - n) / (n * (n - 1))
    expected = within + whole - 2 * kernel[rows].mean()
    assert own["mmd2"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("radius", ["0.25", "0.5", "1", "2", "4"])
def test_the_cf_distance_is_that_of_gaussian_frequencies(judged, radius):
    own, z, rows = judged
    kernel = np.exp(-0.5 * (float(radius) * pairwise(z, z)) ** 2)
    distance = kernel[np.ix_(rows, rows)].mean() - 2 * kernel[rows].mean() + kernel.mean()
    # From 128 frequencies or more: a quarter is four standard errors.
    assert own[f"cfd_m_radius_{radius}"] == pytest.approx(len(rows) * distance, rel=0.25)


def test_units_are_median_distances(data):
    z = prepare(data).features
    assert np.median(pdist(z)) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("rows,distinct", [([], 0), ([7], 1), ([8, 9], 2), ([8, 9, 8, 8], 2)])
def test_rows_that_are_named_count_once(data, rows, distinct):
    rows = np.array(rows, dtype=np.int64)
    for kind in ("include", "exclude"):
        try:
            report = fast_select.select(data, count=20, n_random=0, **{kind: rows}).report
        except fast_select.InvalidInputError:
            assert len(rows) > distinct  # refused, which is as well
            continue
        assert report["options"][f"n_{kind}d"] == distinct
