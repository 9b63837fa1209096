"""Characteristic functions and diversity against numpy."""

import numpy as np
import pytest

from fast_select import _core
from oracles import characteristic_function


@pytest.mark.parametrize("n,p,q", [(1, 1, 1), (130, 5, 300), (5000, 64, 257)])
def test_characteristic_function_equals_numpy(rng, n, p, q):
    x = rng.normal(size=(n, p)).astype(np.float32)
    freqs = rng.normal(size=(q, p)).astype(np.float32)
    re, im = _core.stages.characteristic_function(x, freqs)
    expected = characteristic_function(x, freqs)
    np.testing.assert_allclose(re, expected.real, atol=2e-6)
    np.testing.assert_allclose(im, expected.imag, atol=2e-6)


def test_gaussian_has_its_closed_form(rng):
    x = rng.normal(size=(200_000, 2)).astype(np.float32)
    freqs = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], np.float32)
    re, im = _core.stages.characteristic_function(x, freqs)
    np.testing.assert_allclose(re, np.exp([0, -0.5, -1]), atol=0.01)
    np.testing.assert_allclose(im, 0, atol=0.01)


@pytest.mark.parametrize("m", [1, 30, 300])
def test_logdet_equals_the_dense_form(rng, m):
    y = rng.normal(size=(m, 4)).astype(np.float32)
    psi, value = _core.stages.diversity(y, 0.7, 1e-2)
    psi = psi.astype(np.float64)
    np.testing.assert_allclose((psi**2).sum(axis=1), 1, rtol=1e-5)
    sign, logdet = np.linalg.slogdet(psi @ psi.T + 1e-2 * np.eye(m))
    assert sign == 1
    np.testing.assert_allclose(value, -logdet, rtol=1e-3, atol=1e-3)


def test_features_approximate_the_gaussian_kernel(rng):
    y = rng.normal(size=(400, 3)).astype(np.float32) * 0.3
    psi, _ = _core.stages.diversity(y, 0.7, 1e-2)
    d2 = ((y[:, None] - y[None]) ** 2).sum(axis=2)
    assert np.abs(psi @ psi.T - np.exp(-d2 / 2 / 0.7**2)).mean() < 0.15
