"""Several of Python's threads in one process, on builds with and without a GIL."""

import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

import fast_select
from fast_select import _core


def failing(_stage, _done, _total):
    raise LookupError("mine")


@pytest.fixture
def calls(rng):
    """Calls of every kind on arrays that they share, each with its name."""
    x = rng.normal(size=(1500, 12)).astype(np.float32)
    labels = rng.integers(0, 3, size=1500)
    swapped = x.astype(">f8")
    select = partial(fast_select.select, count=60, n_random=2)
    return {
        "plain": lambda: select(x).indices.tolist(),
        "another seed": lambda: select(x, seed=1, method="random").indices.tolist(),
        "labels": lambda: select(x, labels=labels, weights="nearest").weights.tolist(),
        "other byte order": lambda: select(swapped).indices.tolist(),
        "paper": lambda: select(x, method="paper", max_steps=5).indices.tolist(),
        "evaluate": lambda: fast_select.evaluate(x, np.arange(50), n_random=2)["quality"],
        "refused": lambda: select(x, method="nothing"),
        "stopped": lambda: select(x, progress=failing),
    }


def outcome(call):
    """What a call returns or raises."""
    try:
        return call()
    except (fast_select.InvalidInputError, LookupError) as err:
        return str(err)


def test_calls_at_once_end_as_alone(calls):
    alone = {name: outcome(call) for name, call in calls.items()}
    assert alone["stopped"] == "mine"
    assert "nothing" in alone["refused"]
    names = [*calls, *calls]
    with ThreadPoolExecutor(len(names)) as pool:
        at_once = list(pool.map(lambda name: outcome(calls[name]), names))
    for name, got in zip(names, at_once, strict=True):
        assert got == alone[name], name


def test_progress_is_told_to_the_thread_that_asks(rng):
    x = rng.normal(size=(1500, 12))

    def told(method):
        stages = []
        fast_select.select(
            x, count=60, n_random=2, method=method, max_steps=5,
            progress=lambda stage, _done, _total: stages.append(stage),
        )  # fmt: skip
        return set(stages)

    methods = ["fast", "paper", "herding"] * 2
    alone = [told(method) for method in methods]
    with ThreadPoolExecutor(len(methods)) as pool:
        assert list(pool.map(told, methods)) == alone
    assert alone[0] != alone[1]


def test_the_core_leaves_the_gil_off_where_there_is_none():
    assert _core.__version__
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
    assert enabled == (not sysconfig.get_config_var("Py_GIL_DISABLED"))
