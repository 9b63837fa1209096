"""Numbers as they come: any type, size, offset and layout, and rows that would rule all others."""

from functools import partial

import numpy as np
import pytest

from fast_select import InvalidInputError, plan, select

RATIO = 0.1


def rows(x, **options):
    return select(x, ratio=RATIO, n_random=0, **options).indices


def cfd(x, picked, draws=40):
    """CF distance of `picked` over random rows', in f64 at scales about the median distance."""
    rng = np.random.default_rng(3)
    x = np.asarray(x, dtype=np.float64)
    first, second = rng.integers(0, len(x), (2, 4000))
    unit = np.median(np.linalg.norm(x[first] - x[second], axis=1)[first != second])
    scales = rng.choice([0.5, 1.0, 2.0], 600)[:, None]
    frequencies = rng.normal(size=(600, x.shape[1])) * scales / unit

    def mean(rows):
        return np.exp(1j * (rows @ frequencies.T)).mean(axis=0)

    whole = mean(x)

    def distance(chosen):
        return np.mean(abs(mean(x[chosen]) - whole) ** 2)

    random = [distance(rng.choice(len(x), len(picked), replace=False)) for _ in range(draws)]
    return distance(picked) / np.mean(random)


@pytest.fixture
def whole_numbers(rng):
    """(2000, 16) whole numbers that every type of 16 bits and more holds."""
    return rng.normal(scale=200, size=(2000, 16)).round()


LAYOUTS = {
    "float32": lambda x: x.astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "int16": lambda x: x.astype(np.int16),
    "int64": lambda x: x.astype(np.int64),
    "big-endian": lambda x: x.astype(">f8"),
    "big-endian integers": lambda x: x.astype(">i2"),
    "Fortran order": np.asfortranarray,
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "every other": lambda x: np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)[::2, ::2],
    "offset": lambda x: x + 1e6,
    "offset of its own a column": lambda x: x + 1e5 * np.arange(16),
    "large offset of integers": lambda x: x.astype(np.int64) + 2**60,
    "scaled up": lambda x: x * 2.0**300,
    "scaled down": lambda x: x * 2.0**-400,
    "outside of float32": lambda x: x * 2.0**130,
    "below float32": lambda x: x * 2.0**-160,
}


def packed(x, dtype):
    """A field of packed records, whose steps are no multiple of the items."""
    records = np.zeros(len(x), dtype=[("label", "u1"), ("x", dtype, x.shape[1])])
    records["x"] = x
    return records["x"]


LAYOUTS |= {
    f"field of {dtype}": partial(packed, dtype=dtype) for dtype in ("i4", ">i4", "f8", ">f4", "i2")
}
LAYOUTS["unaligned"] = lambda x: np.frombuffer(
    b"x" + x.astype(np.float32).tobytes(), dtype=np.float32, offset=1
).reshape(x.shape)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_pick_does_not_depend_on_the_layout(whole_numbers, layout):
    assert np.array_equal(rows(LAYOUTS[layout](whole_numbers)), rows(whole_numbers))


@pytest.mark.parametrize("scale", [1e38, 1e-46, 1e300, 1e-300])
def test_numbers_outside_of_float32(rng, scale):
    x = rng.normal(size=(2000, 16))
    expected = select(x, ratio=RATIO, n_random=2)
    got = select(x * scale, ratio=RATIO, n_random=2, nonfinite="drop")
    assert np.array_equal(got.indices, expected.indices)
    assert got.report["input"]["n_distinct"] == 2000
    assert got.report["input"]["n_nonfinite"] == 0


def test_booleans_are_zeros_and_ones(rng):
    x = rng.random((500, 12)) < 0.4
    assert np.array_equal(rows(x), rows(x.astype(np.uint8)))


@pytest.mark.parametrize("dtype", [complex, "M8[s]", "S3", "V3"])
def test_what_holds_no_real_numbers_is_named(dtype):
    with pytest.raises(InvalidInputError, match=r"not real numbers"):
        rows(np.zeros((20, 2), dtype=dtype))


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_above_2_to_the_53_stay_apart(dtype):
    x = np.arange(4000)[:, None].astype(dtype) + dtype(2**60)
    selection = select(x, ratio=RATIO, n_random=2)
    assert selection.report["input"]["n_distinct"] == 4000
    assert np.array_equal(selection.indices, rows(np.arange(4000)[:, None]))


def test_the_first_row_rules_nothing(rng):
    x = rng.normal(size=(2000, 16))
    spoilt = x.copy()
    spoilt[0, 0], spoilt[0, 3] = np.nan, 1e9
    facts = select(spoilt, ratio=RATIO, n_random=2, nonfinite="drop").report["input"]
    assert (facts["n_constant_columns"], facts["n_distinct"]) == (0, 1999)
    spoilt[0] = 1e9
    assert select(spoilt, ratio=RATIO, n_random=2).report["input"]["n_distinct"] == 2000


def test_timestamps_beside_a_missing_one(rng):
    x = np.column_stack([1.7e9 + rng.integers(0, 60, 2000), rng.normal(scale=20, size=2000)])
    x[0, 0] = np.nan
    selection = select(x, ratio=RATIO, n_random=2, nonfinite="drop")
    assert selection.report["input"]["n_constant_columns"] == 0
    assert np.array_equal(selection.indices, 1 + rows(x[1:] - [1.7e9, 0]))


def test_tight_classes_far_apart(rng):
    y = rng.integers(0, 5, 3000)
    centers, around = rng.normal(size=(5, 8)), rng.normal(size=(3000, 8))
    tight = centers[y] + 1e-4 * around
    picked = rows(tight, labels=y)
    for label in range(5):
        inside = np.flatnonzero(y == label)
        own = np.flatnonzero(np.isin(inside, picked))
        alone = cfd(around[inside], rows(around[inside]))
        assert cfd(around[inside], own) < 1.3 * alone


@pytest.mark.parametrize("far", [1e4, 1e5, 1e7])
def test_an_island_far_off(rng, far):
    x = rng.random((4000, 8))
    plain = cfd(x, rows(x))
    x[7::100] = -far
    picked = rows(x)
    assert cfd(x, picked) < 1.3 * plain
    assert np.isin(picked, np.arange(7, 4000, 100)).sum() in range(2, 7)


@pytest.fixture(scope="module")
def normals():
    """Four sets of (2000, 10) normal numbers, and the CF distance of a pick from each."""
    sets = [np.random.default_rng(200 + k).normal(size=(2000, 10)) for k in range(4)]
    return sets, np.mean([cfd(x, rows(x)) for x in sets])


def cfd_of_others(x, bad):
    """CF distance of a pick from all of `x` on the rows but `bad`; these must be what is named."""
    selection = select(x, ratio=RATIO, n_random=0)
    facts = selection.report["input"]
    assert (facts["n_far"], facts["far_rows"], facts["scale"]) == (
        bad.size,
        bad[:10].tolist(),
        "none",
    )
    good = np.setdiff1d(np.arange(len(x)), bad)
    picked = np.isin(good, selection.indices)
    return cfd(x[good], np.flatnonzero(picked))


@pytest.mark.parametrize("size", [1e3, 1e8, 1e300])
@pytest.mark.parametrize("cells", ["a row", "a cell"])
def test_one_bad_row(normals, size, cells):
    def spoilt(x):
        x = x.copy()
        x[77, slice(None) if cells == "a row" else 3] = size
        return x

    sets, plain = normals
    assert np.mean([cfd_of_others(spoilt(x), np.array([77])) for x in sets]) < 1.3 * plain
    notes = select(spoilt(sets[0]), ratio=RATIO, n_random=0).report["selection"]["notes"]
    assert notes == ["1 row lies far outside the others (77) and was drawn in."]


@pytest.mark.parametrize("share", [0.02, 0.05])
@pytest.mark.parametrize("cells", ["rows", "cells"])
def test_some_in_a_hundred_rows_rule_nothing(normals, share, cells):
    sets, plain = normals
    found = []
    for x in sets:
        rng, spoilt = np.random.default_rng(7), x.copy()
        bad = np.sort(rng.choice(2000, int(share * 2000), replace=False))
        if cells == "rows":
            spoilt[bad] = 1e9
        spoilt[bad, 3] = 1e9 * (1 + rng.random(bad.size))
        found.append(cfd_of_others(spoilt, bad))
    assert np.mean(found) < 1.3 * plain


@pytest.mark.parametrize("power", [1, 3])
def test_heavy_tails(power):
    x = np.random.default_rng(1).standard_cauchy((2000, 10)) ** power
    selection = select(x, ratio=RATIO, n_random=20)
    quality = selection.report["quality"]
    assert quality["selection"]["cfd_m"] < 0.4 * quality["random"]["cfd_m"]["mean"]
    assert cfd(x, selection.indices) < 0.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_spread_within_rounding_is_no_column(rng, dtype):
    x = rng.normal(scale=0.01, size=(2000, 10)).astype(dtype)
    noise = dtype(14.62) + rng.integers(0, 9, 2000) * np.spacing(dtype(14.62))
    spoilt = np.column_stack([x, noise.astype(dtype)])
    selection = select(spoilt, ratio=RATIO, n_random=2)
    facts = selection.report["input"]
    assert (facts["scale"], facts["n_constant_columns"]) == ("none", 1)
    assert np.array_equal(selection.indices, rows(np.column_stack([x, np.zeros_like(noise)])))


def test_max_memory_selects_the_same_rows_at_any_number_of_threads(run, tmp_path, rng):
    path = tmp_path / "x.npy"
    np.save(path, rng.normal(size=(64_000, 8)).astype(np.float32))
    asked = (path, "--ratio", "0.05", "--random", "0", "--quiet", "-o", "-")
    picked = [
        run(*asked, "--max-memory", "120MiB", "--threads", threads).stdout for threads in (1, 4, 16)
    ]
    assert len(picked[0].split()) == 3200
    assert picked[0] == picked[1] == picked[2] != run(*asked).stdout


def test_wide_input_is_planned_as_it_is():
    x = np.zeros((1000, 50_000), dtype=np.float16)
    planned = plan(x, ratio=RATIO)["working_bytes"]
    assert 250 << 20 < planned < 350 << 20
