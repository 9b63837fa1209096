"""Methods side by side."""

import json
from collections import Counter

import numpy as np
import pytest

import fast_select
from fast_select._compare import METHODS, MODELS, accuracies, known_test, scaled


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(11)
    y = rng.integers(0, 3, 600)
    return rng.normal(size=(600, 4)) + y[:, None] * 2.5, np.array(["a", "b", "c"])[y]


@pytest.mark.slow
def test_every_method_and_model(data):
    x, y = data
    got = fast_select.compare(x, y, ratios=[0.05], seeds=[0, 1], threads=1)
    assert {run["method"] for run in got["runs"]} == set(METHODS)
    assert len(got["runs"]) == 2 * len(METHODS)
    assert got["input"] == {"shape": [480, 4], "test_rows": 120, "classes": 3}
    for entry in got["summary"]:
        assert set(entry["accuracy"]) == set(MODELS)
        assert 60 < entry["mean_accuracy"] <= 100
        assert entry["standard_error"] >= 0
    assert {run["count"] for run in got["runs"]} == {24}


def test_data_that_cannot_be_compared(data):
    x, y = data
    bad = x.copy()
    bad[3, 1] = np.nan
    for arguments in (
        {"X": bad},
        {"test": (bad, y)},
        {"test": (x, np.arange(600))},
        {"test": (x, np.repeat("z", 600))},
        {"methods": ["stratified"], "use_labels": False},
        {"methods": ["other"]},
        {"ratios": []},
    ):
        with pytest.raises(fast_select.InvalidInputError):
            fast_select.compare(**{"X": x, "labels": y, "ratios": [0.1], **arguments})


@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"ratios": [0.1, 0.1]}, "ratios: 0.1 is given twice"),
        ({"methods": ["fast", "fast"]}, "methods: fast is given twice"),
        ({"models": ["1nn", "1nn"]}, "models: 1nn is given twice"),
        ({"seeds": [3, 3]}, "seeds: 3 is given twice"),
        ({"seeds": [-1]}, "seed: -1 is not an integer"),
        ({"seeds": [2**64]}, "seed: 18446744073709551616 is not an integer"),
        ({"seeds": np.array([0.5])}, "seed: "),
        ({"methods": ["fast", "stratified"], "use_labels": False}, "stratified, which needs"),
        ({"methods": []}, "methods: are none"),
        ({"X": [[1.0]], "labels": [0]}, "has 1 row"),
    ],
)
def test_what_cannot_be_meant_is_refused(data, arguments, message):
    x, y = data
    with pytest.raises(fast_select.InvalidInputError, match=message):
        fast_select.compare(**{"X": x, "labels": y, "ratios": [0.1], **arguments})


def test_without_labels_all_methods_are_those_that_need_none(data):
    x, y = data
    got = fast_select.compare(
        x[:60], y[:60], ratios=np.array([0.2]), seeds=np.array([2**64 - 1], dtype="u8"),
        use_labels=False, models=["1nn", "forest"],
    )  # fmt: skip
    assert [run["method"] for run in got["runs"]] == [m for m in METHODS if m != "stratified"]
    json.dumps(got, allow_nan=False)


@pytest.mark.parametrize("power", [-900, -140, 0, 140, 1000])
def test_features_of_any_size_are_scaled_alike(data, power):
    x, _ = data
    for standard in (True, False):
        expected = scaled(x, x[:50], standard=standard)
        got = scaled(np.ldexp(x, power), np.ldexp(x[:50], power), standard=standard)
        for one, other in zip(got, expected, strict=True):
            assert np.array_equal(one, other)


def test_test_rows_far_outside_stay_numbers(data):
    x, _ = data
    with np.errstate(all="raise", over="raise"):
        _, tested = scaled(x * 1e-200, x * 1e200, standard=False)
    assert np.isfinite(tested.astype(np.float32) ** 2).all()


@pytest.mark.parametrize("dtype", ["f2", "f4", "i1", "u8", "?"])
def test_scaling_of_any_type(data, dtype):
    x = (data[0].clip(0) * 20).astype(dtype)
    first, _ = scaled(x, x, standard=True)
    wide = x.astype(float)
    assert first == pytest.approx((wide - wide.mean(axis=0)) / wide.std(axis=0), rel=1e-5, abs=1e-6)


def test_training_that_does_not_converge_is_a_note_and_no_warning(data, recwarn):
    x, y = data
    far = x * np.array([1e3, 1, 1, 1])
    far[0] *= 1e12
    got = fast_select.compare(
        far, y, ratios=[0.9], methods=["random"], models=["logreg"], seeds=[0], scale="none"
    )
    assert len(recwarn) == 0
    assert all(note.endswith(" stopped before it converged.") for note in got["notes"])
    counts = Counter()
    rng = np.random.default_rng(0)
    hard, codes = rng.normal(size=(300, 50)) * 10.0 ** np.arange(-25, 25), rng.integers(0, 9, 300)
    accuracies(["logreg"], (hard, hard), (codes, codes), np.arange(300), 0, 1, counts)
    assert counts == {"logreg": 1}


def test_labels_may_be_kept_from_the_methods(data):
    x, y = data
    seen = []

    def first_rows(prepared, count, labels, seed):
        seen.append(labels)
        return np.arange(count)

    got = fast_select.compare(
        x, y, ratios=[0.1], methods=["random"], models=["1nn"], seeds=[0], use_labels=False,
        extra_methods={"mine": first_rows},
    )  # fmt: skip
    assert seen == [None]
    assert [run["method"] for run in got["runs"]] == ["random", "mine"]


def test_one_nearest_neighbour_by_hand():
    x = np.array([[0.0], [1.0], [10.0]], np.float32)
    test = np.array([[0.4], [0.6], [9.0], [6.0]], np.float32)
    y, y_test = np.array([0, 1, 1]), np.array([0, 1, 1, 0])
    got = accuracies(["1nn"], (x, test), (y, y_test), np.array([0, 1, 2]), 0, 1)
    assert got == {"1nn": 75.0}
    single = accuracies(["svm"], (x, test), (y, y_test), np.array([1, 2]), 0, 1)
    assert single == {"svm": 50.0}


def test_scaling_and_unknown_classes():
    x = np.array([[0.0, 5.0], [2.0, 5.0]])
    first, second = scaled(x, x[:1], standard=True)
    assert first.tolist() == [[-1, 0], [1, 0]]
    assert second.tolist() == [[-1, 0]]
    _, codes = known_test((x, ["b", "z"]), 2, np.array(["a", "b"]))
    assert codes.tolist() == [1, -1]


def test_refusals(data):
    x, y = data
    for parameters in (
        {"ratios": []},
        {"ratios": [2.0]},
        {"ratios": [0.1], "methods": ["best"]},
        {"ratios": [0.1], "models": ["gpt"]},
        {"ratios": [0.1], "test": (x[:, :2], y)},
        {"ratios": [0.1], "test": (x, y[:3])},
        {"ratios": [0.1], "test_share": 1.5},
    ):
        with pytest.raises(fast_select.InvalidInputError):
            fast_select.compare(x, y, **parameters)


@pytest.mark.slow
def test_command(run, tmp_path, data):
    x, y = data
    np.savez(tmp_path / "d.npz", x=x, y=y, xt=x[:50], yt=y[:50])
    common = [
        "compare", tmp_path / "d.npz", "--key", "x", "--label-key", "y", "--ratio", "0.1",
        "--methods", "fast, stratified", "--models", "1nn,logreg", "--seeds", "2",
    ]  # fmt: skip
    got = run(*common, "--test", tmp_path / "d.npz", "--test-key", "xt", "--test-label-key", "yt")
    assert got.returncode == 0, got.stderr.decode()
    assert "fast" in got.stdout.decode()
    assert "log. reg." in got.stdout.decode()
    result = json.loads(run(*common, "--json", "--quiet").stdout)
    assert len(result["runs"]) == 4
    refused = run("compare", tmp_path / "d.npz", "--key", "x", "--ratio", "0.1")
    assert refused.returncode == 2
    assert b"--label" in refused.stderr


def test_bad_rows_have_the_numbers_that_they_have_in_the_input(rng):
    x, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    x[17, 1] = np.nan
    with pytest.raises(fast_select.InvalidInputError, match=r"in 1 row, first in row 17\."):
        fast_select.compare(x, y, ratios=[0.2])
