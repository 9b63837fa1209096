"""Groups of siblings, of which only a few rows may be picked."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fast_select
from fast_select import InvalidInputError

N, N_GROUPS = 3000, 600


@pytest.fixture(scope="module")
def siblings():
    """Five near rows a group, and a class of each row that cuts through groups."""
    rng = np.random.default_rng(5)
    groups = rng.permutation(np.repeat(np.arange(N_GROUPS), N // N_GROUPS))
    centres = rng.normal(size=(N_GROUPS, 6))
    x = (centres[groups] + 0.05 * rng.normal(size=(N, 6))).astype(np.float32)
    return x, groups, rng.integers(0, 3, N)


def most_of_a_group(groups, indices):
    return np.bincount(groups[indices]).max()


def pick(x, **options):
    return fast_select.select(x, n_random=2, **options)


@pytest.mark.parametrize("method", ["fast", "random"])
@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("block_rows", [16_384, 150])
def test_no_group_gives_more_than_its_cap(siblings, method, most, block_rows):
    x, groups, _ = siblings
    options = {"count": 540 * most, "method": method, "block_rows": block_rows}
    # Groups of rows far apart are what a selection knows nothing of.
    apart = np.random.default_rng(1).permutation(groups)
    assert most_of_a_group(apart, pick(x, **options).indices) > most
    for own in (groups, apart):
        picked = pick(x, groups=own, max_per_group=most, **options)
        assert picked.indices.size == 540 * most
        assert most_of_a_group(own, picked.indices) == most
        assert picked.report["options"]["n_groups"] == N_GROUPS
        assert picked.report["options"]["max_per_group"] == most


def test_a_pick_of_all_groups_takes_one_row_of_each(siblings):
    x, groups, _ = siblings
    picked = pick(x, count=N_GROUPS, groups=groups, max_per_group=1)
    assert np.array_equal(np.sort(groups[picked.indices]), np.arange(N_GROUPS))


def test_caps_that_bind_nothing_change_nothing(siblings):
    x, groups, labels = siblings
    for options in [{}, {"labels": labels}, {"block_rows": 500}]:
        free = pick(x, ratio=0.1, **options)
        own = pick(x, ratio=0.1, groups=np.arange(N), max_per_group=1, **options)
        wide = pick(x, ratio=0.1, groups=groups, max_per_group=N, **options)
        assert np.array_equal(free.indices, own.indices)
        assert np.array_equal(free.indices, wide.indices)


def test_groups_with_labels_include_exclude_and_several_ratios(siblings):
    x, groups, labels = siblings
    include = np.flatnonzero(groups < 3)[[0, 5, 9]]
    include = include[np.unique(groups[include], return_index=True)[1]]
    exclude = np.flatnonzero(groups % 7 == 3)[::2]
    shared = {"groups": groups, "max_per_group": 1, "labels": labels, "n_random": 2}
    small, large = fast_select.select_nested(
        x, ratios=[0.05, 0.15], include=include, exclude=exclude, **shared
    )
    for chosen, count in [(small, 150), (large, 450)]:
        assert chosen.indices.size == count
        assert most_of_a_group(groups, chosen.indices) == 1
        assert np.isin(include, chosen.indices).all()
        assert not np.isin(exclude, chosen.indices).any()
        assert np.ptp(np.bincount(labels[chosen.indices]) / np.bincount(labels)) < 0.02
    assert np.isin(small.indices, large.indices).all()


def test_the_rows_do_not_depend_on_threads_or_names(siblings):
    x, groups, labels = siblings
    named = np.array([f"video {g}" for g in groups])
    options = {"ratio": 0.15, "max_per_group": 1, "labels": labels, "block_rows": 400}
    one = pick(x, groups=groups, threads=1, **options)
    two = pick(x, groups=groups, threads=2, **options)
    assert np.array_equal(one.indices, two.indices)
    as_text = pick(x, groups=named, **options)
    assert most_of_a_group(groups, as_text.indices) == 1


def test_rows_left_out_count_for_no_group(siblings):
    x, groups, _ = siblings
    x = x.copy()
    x[groups == 4] = np.nan
    options = {"groups": groups, "max_per_group": 1, "nonfinite": "drop"}
    assert pick(x, count=N_GROUPS - 1, **options).indices.size == N_GROUPS - 1
    with pytest.raises(InvalidInputError, match=r"count: 600 is more than the 599 rows that"):
        pick(x, count=N_GROUPS, **options)


def test_classes_that_share_all_groups_share_what_they_give():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    groups, labels = np.repeat(np.arange(100), 4), np.tile([0, 0, 0, 1], 100)
    picked = pick(x, count=100, labels=labels, groups=groups, max_per_group=1)
    assert np.array_equal(groups[picked.indices], np.arange(100))
    assert np.array_equal(np.bincount(labels[picked.indices]), [75, 25])


def test_a_row_of_another_group_is_found_by_verify(siblings):
    x, groups, _ = siblings
    report = pick(x, ratio=0.05, groups=groups, max_per_group=1).report
    assert fast_select.verify(report, x, groups=groups).same
    moved = groups.copy()
    moved[7] = (moved[7] + 1) % N_GROUPS
    differences = fast_select.verify(report, x, groups=moved).differences
    assert "groups" in [difference.what for difference in differences]


@pytest.mark.parametrize(
    "options,message",
    [
        ({"max_per_group": 1}, "max_per_group: has no effect without groups. Give groups too"),
        (
            {"groups": np.arange(20) // 2},
            "groups: has no effect without a cap on what each gives. Give max_per_group too",
        ),
        (
            {"groups": np.arange(20) // 4, "max_per_group": 1},
            "count: 6 is more than the 5 rows that the groups give. Select fewer, or raise",
        ),
        (
            {"groups": np.arange(20) // 2, "max_per_group": 1, "include": [2, 6, 7]},
            "include: names row 7 and 1 before it of one group, which gives 1 at most",
        ),
        ({"groups": np.arange(19), "max_per_group": 1}, "groups: shape is"),
        ({"groups": np.arange(20), "max_per_group": 0}, "max_per_group: 0 is not an integer, 1"),
        ({"groups": [np.nan] * 20, "max_per_group": 1}, "groups: row 0 holds nan, a missing"),
        (
            {"groups": np.arange(20), "max_per_group": 1, "method": "herding"},
            "method: herding cannot include or exclude rows, cap groups, or nest several ratios",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused(options, message):
    x = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.raises(InvalidInputError) as caught:
        pick(x, count=6, **options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "options,message",
    [
        ({"ratio": 0.5}, "ratio: asks for 10 rows, and 10 is more than the 5 rows that the groups"),
        (
            {"balance": {0: 4, 1: 4}},
            "balance: asks for 8 rows, and 8 is more than the 5 rows that the groups give. Select",
        ),
        (
            {"balance": {0: 6, 1: 1}},
            "balance: asks for 6 rows of class '0', of which the groups give 5. Ask for fewer, or",
        ),
        ({"balance": {0: 4, 1: 4}, "count": 8}, "count: 8 is more than the 5 rows that the groups"),
        (
            {"balance": {0: 2, 1: 1, 2: 2}, "labels": [0, 1] * 4 + [2] * 12},
            "balance: asks for 5 rows, and 5 rows are not there where classes share groups",
        ),
        ({"ratio": 0.05, "min_per_class": 2}, "ratio: asks for 1 row, and 1 is less than the 4"),
    ],
)
def test_what_asks_for_too_much_is_named(options, message):
    x = np.random.default_rng(0).normal(size=(20, 2))
    asked = {"labels": [0, 1] * 10, "groups": np.arange(20) // 4, "max_per_group": 1, **options}
    with pytest.raises(InvalidInputError) as caught:
        pick(x, **asked)
    assert str(caught.value).startswith(message)


def test_plan_takes_groups(siblings):
    x, groups, _ = siblings
    assert fast_select.plan(x, ratio=0.1, groups=groups, max_per_group=1)["count"] == 300
    with pytest.raises(InvalidInputError, match="max_per_group: has no effect without groups"):
        fast_select.plan(x, ratio=0.1, max_per_group=1)


# The command.

NO_CAP = "has no effect without a cap on what each gives. Give --max-per-group too."


@pytest.fixture(scope="module")
def folder(tmp_path_factory, siblings):
    x, groups, labels = siblings
    place = tmp_path_factory.mktemp("groups")
    names = [f"video {group}" for group in groups]
    np.save(place / "x.npy", x)
    np.savez(place / "all.npz", x=x, y=labels, video=groups)
    (place / "groups.txt").write_text("\n".join(names) + "\n")
    rows = zip(names, labels, strict=True)
    (place / "groups.csv").write_text("video,y\n" + "".join(f"{v},{y}\n" for v, y in rows))
    table = {"video": names, "y": labels} | {f"e{j}": x[:, j] for j in range(x.shape[1])}
    pq.write_table(pa.table(table), place / "t.parquet")
    return place


def command(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "fast_select", *words, "--random", "2", "--force"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["x.npy", "--groups", "groups.txt"],
        ["x.npy", "--groups", "groups.csv", "--group-column", "video"],
        ["x.npy", "--groups", "all.npz", "--group-key", "video"],
        ["x.npy", "--groups", "t.parquet", "--group-column", "1"],
        ["all.npz", "--key", "x", "--group-key", "video", "--label-key", "y"],
        ["t.parquet", "--group-key", "video", "--label-key", "y"],
        ["t.parquet", "--columns", "e*", "--group-column", "video"],
    ],
)
def test_groups_come_from_a_file_or_the_input_and_are_verified(folder, siblings, words):
    _, groups, _ = siblings
    done = command(folder, *words, "--count", "540", "--max-per-group", "1", "-o", "a.npy")
    assert done.returncode == 0, done.stderr
    assert most_of_a_group(groups, np.load(folder / "a.npy")) == 1
    [report] = folder.glob("*.report.json")
    again = subprocess.run(
        [sys.executable, "-m", "fast_select", "verify", report.name],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0 and again.stdout.startswith("The same rows: 540 of 3,000")
    report.unlink()


@pytest.mark.parametrize(
    "words,told",
    [
        (
            ["x.npy", "--group-key", "g"],
            "--group-key: needs a table or one .npz file. Use --groups",
        ),
        (["x.npy", "--groups", "groups.txt"], f"--groups: {NO_CAP}"),
        (["x.npy", "--groups", "groups.csv", "--group-column", "video"], f"--groups: {NO_CAP}"),
        (["t.parquet", "--columns", "e*", "--group-key", "video"], f"--group-key: {NO_CAP}"),
        (["t.parquet", "--columns", "e*", "--group-column", "1"], f"--group-column: {NO_CAP}"),
        (
            ["x.npy", "--max-per-group", "1"],
            "--max-per-group: has no effect without groups. Give --groups too.",
        ),
        (
            ["x.npy", "--groups", "groups.txt", "--max-per-group", "1", "--ratio", "0.9"],
            "--ratio: asks for 2700 rows, and 2700 is more than the 600 rows that the groups give.",
        ),
        (
            [
                *("t.parquet", "--columns", "e*", "--group-key", "video", "--label-key", "y"),
                *("--max-per-group", "1"),
                "--balance",
                "shares.csv",
            ],
            "--balance: asks for 700 rows, and 700 is more than the 600 rows that the groups give. "
            "Select fewer, or raise --max-per-group.",
        ),
        (
            ["x.npy", "--groups", "groups.csv", "--max-per-group", "1"],
            "groups.csv: holds several columns: 1 'video', 2 'y'. Choose one with --group-column",
        ),
        (
            ["x.npy", "--groups", "groups.txt", "--max-per-group", "1", "--count", "601"],
            "--count: 601 is more than the 600 rows that the groups give. Select fewer, or raise "
            "--max-per-group",
        ),
        (["t.parquet", "--group-key", "vid", "--max-per-group", "1"], "t.parquet: has no column"),
    ],
)
def test_what_cannot_be_is_told_on_one_line(folder, words, told):
    (folder / "shares.csv").write_text("0,350\n1,200\n2,150\n")
    is_sized = {"--count", "--ratio", "--balance"} & {*words}
    size = [] if is_sized else ["--ratio", "0.1"]
    done = command(folder, *words, *size)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {told}") and done.stderr.count("\n") == 1


def test_all_of_it_together(folder, siblings):
    _, groups, labels = siblings
    (folder / "gold.txt").write_text("7\n90\n")
    (folder / "test.txt").write_text("\n".join(map(str, range(1000, 1100))))
    done = command(
        folder, "t.parquet", "--label-key", "y", "--group-key", "video", "--max-per-group", "1",
        "--include", "gold.txt", "--exclude", "test.txt", "--ratio", "0.15", "--ratio", "0.05",
        "--rank", "--weights", "nearest", "--assign", "picks.npy", "-o", "all.csv",
        "--subset", "rows.parquet",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for ratio, count in (("0.15", 450), ("0.05", 150)):
        table = np.genfromtxt(folder / f"all-{ratio}.csv", delimiter=",", names=True, dtype=int)
        assert table.dtype.names == ("index", "label", "weight", "rank")
        assert table.size == count and table["weight"].sum() == N
        assert np.array_equal(table["rank"], np.arange(1, count + 1))
        assert {*table["index"][:2]} == {7, 90}
        assert most_of_a_group(groups, table["index"]) == 1
        assert np.array_equal(labels[table["index"]], table["label"])
        picks = np.load(folder / f"picks-{ratio}.npy")
        assert np.array_equal(np.bincount(picks, minlength=N)[table["index"]], table["weight"])
        assert pq.read_table(folder / f"rows-{ratio}.parquet").num_rows == count
