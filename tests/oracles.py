"""Slow and obvious versions of what the core computes, and its preparation."""

import numpy as np

from fast_select import _core


def pairwise(x, y):
    """Euclidean distances in float64."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return np.sqrt(((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2))


def nearest(x, k):
    """Indices and distances of the k nearest other rows, ties by index."""
    d = pairwise(x, x)
    np.fill_diagonal(d, np.inf)
    order = np.argsort(d, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(d, order, axis=1)


def characteristic_function(x, freqs):
    """Mean of exp(i freq . row), complex."""
    return np.exp(1j * (np.asarray(x, np.float64) @ np.asarray(freqs, np.float64).T)).mean(axis=0)


def normalised_laplacian(b):
    """I - D^-1/2 B D^-1/2 of a dense symmetric matrix."""
    root = np.sqrt(b.sum(axis=1))
    return np.eye(len(b)) - b / root[:, None] / root[None, :]


def prepare(x, **options):
    """The core's preparation, with the options given."""
    return _core.prepare(x, _core.Params("select", **options))
