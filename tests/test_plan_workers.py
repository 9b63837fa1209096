"""Plans of inputs that are not there, and of runs that several workers share in."""

import json
import math
import re

import numpy as np
import pytest

import fast_select
from fast_select import InvalidInputError, _core

LARGE = {"shape": (10**9, 768), "ratio": 0.01, "workers": 64, "threads": 16}
STAGES = ["statistics", "components", "z", "partition", "ready", "exchange", "quality"]
MOVED = ("read_bytes", "sent_bytes", "written_bytes")


def stages_of(plan):
    return {stage["name"]: stage for stage in plan["stages"]}


@pytest.mark.parametrize(
    "shape,text", [((5000, 70), "5000x70"), ((5000, 70), "5,000 X 70"), ((3000, 9), "3e3x9")]
)
def test_a_shape_is_planned_as_the_input_is(run, tmp_path, shape, text):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(shape, np.float32))
    plans = [
        json.loads(run("plan", *words, "--ratio", "0.1", "--threads", "2", "--json").stdout)
        for words in ((path,), ("--shape", text))
    ]
    for plan in plans:
        for stage in plan["stages"]:
            assert stage.pop("seconds") > 0
        for of_process in ("seconds", "process_bytes"):
            del plan[of_process]
    assert plans[0] == plans[1]


def test_the_largest_plan_is_told_stage_by_stage(run):
    words = ("plan", "--shape", "1000000000x768", "--dtype", "float32", "--ratio", "0.01")
    words += ("--workers", "64", "--memory", "16GiB", "--threads", "16")
    got = run(*words)
    assert got.returncode == 0, got.stderr
    text = got.stdout.decode()
    assert "10000000 of 1000000000 rows x 768 columns, 64 workers of 16 threads" in text
    for word in (*STAGES, "MiB sent", "e n d + 8 n", "log2(B)", "Worth having: ", "--bandwidth"):
        assert word in text, word
    plan = json.loads(run(*words, "--json").stdout)
    assert [stage["name"] for stage in plan["stages"]] == STAGES
    assert plan["working_bytes"] + plan["process_bytes"] <= 16 << 30
    assert plan["seconds"] == pytest.approx(sum(stage["seconds"] for stage in plan["stages"]))
    # The input, once for its statistics, twice for its components, once for Z.
    assert plan["read_bytes"] > 4 * 4 * 768 * 10**9
    assert list(run.folder.iterdir()) == []


def evaluated(formula, values):
    """The number that a formula gives: factors stand side by side."""
    product = re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", formula.replace("^", "**"))
    return eval(product, {"__builtins__": {}}, values)


@pytest.mark.parametrize("columns", [48, 768])
@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_figures_are_those_of_their_formulas(columns, workers, dtype):
    block, picks, blocks, threads = 16384, 256, 256, 4
    n = blocks * block
    plan = fast_select.plan(
        shape=(n, columns),
        dtype=dtype,
        count=blocks * picks,
        workers=workers,
        threads=threads,
        bandwidth=10**8,
    )
    known = {
        "n": n,
        "d": columns,
        "p": min(columns, 64),
        "e": np.dtype(dtype).itemsize,
        "W": workers,
        "T": threads,
        "v": plan["multiply_adds_per_s"],
        "u": 1e8,
        "B": blocks,
        "b": block,
        # 2.5 rows for each of those that a pick stands for, 50 at most.
        "k": math.ceil(2.5 * min(block, 50 * picks) / picks),
        "m": picks,
        "q": 2048,
        "s": 41,
        "log2": math.log2,
        "ceil": math.ceil,
        "max": max,
        "min": min,
    }
    stages = stages_of(plan)
    for name in ("statistics", "components", "z", "partition", "exchange", "ready", "quality"):
        if name == "components" and columns <= 64:
            continue
        stage = stages[name]
        values = dict(known)
        values["work"] = evaluated(stage["formula"]["work"], values)
        assert stage["cpu_s"] * known["v"] == pytest.approx(values["work"], rel=1e-6), name
        for short in ("written", "read", "sent"):
            key = f"{short}_bytes"
            values[short] = evaluated(stage["formula"][key], values)
            assert stage[key] == pytest.approx(values[short], rel=1e-6), (name, key)
        values["chain"] = stages["exchange"]["seconds"]
        seconds = evaluated(stage["formula"]["seconds"], values)
        assert stage["seconds"] == pytest.approx(seconds, rel=1e-6), name


def test_one_worker_sends_nothing_and_more_are_no_slower():
    plans = [fast_select.plan(**{**LARGE, "workers": w}) for w in (1, 8, 64)]
    assert plans[0]["sent_bytes"] == 0 < plans[1]["sent_bytes"] < plans[2]["sent_bytes"]
    for plan in plans:
        # Each is measured anew: seconds of one machine now and then differ.
        rate = plan["multiply_adds_per_s"]
        plan["work"] = plan["cpu_s"] * rate
        for stage in plan["stages"]:
            assert 0 <= stage["sent_bytes"] <= stage["read_bytes"]
            assert stage["least_s"] <= stage["seconds"] * 1.5
    assert plans[0]["work"] == pytest.approx(plans[2]["work"], rel=1e-9)
    assert 1 < plans[0]["worthwhile_workers"] < 4096


def test_the_slower_of_computing_and_moving_bytes_counts():
    slow, fast = (
        stages_of(fast_select.plan(**LARGE, bandwidth=bandwidth)) for bandwidth in (10**6, 10**12)
    )
    # 16 parts of the components: as many workers read at a time.
    read = 2 * 4 * 768 * 10**9 / 16 / 1e6
    assert slow["components"]["seconds"] > read > fast["components"]["seconds"]
    # Z stays in memory where there is room for it, and is read once.
    small = {**LARGE, "shape": (3 * 10**6, 64)}
    ample, scarce = (
        stages_of(fast_select.plan(**small, memory=memory << 20)) for memory in (16384, 600)
    )
    assert 5 * ample["quality"]["read_bytes"] < scarce["quality"]["read_bytes"]
    usual = fast_select.plan(**LARGE)
    assert usual["bandwidth"] == 500_000_000


def test_memory_is_kept_to_by_each_worker():
    free = fast_select.plan(shape=(10**6, 64), ratio=0.1, workers=4, threads=8, n_random=0)
    assert (free["block_rows"], free["threads"]) == (16384, 8)
    limit = 128 << 20
    tight = fast_select.plan(
        shape=(10**6, 64), ratio=0.1, workers=4, threads=8, n_random=0, memory=limit
    )
    assert tight["block_rows"] < 16384
    assert tight["working_bytes"] + tight["process_bytes"] <= limit * 1.05
    enough = r"memory: 1 MiB is less than the (\d+) MiB that it takes"
    with pytest.raises(InvalidInputError, match=enough) as caught:
        fast_select.plan(**LARGE, memory=1 << 20)
    needed = int(re.search(r"the (\d+) MiB", str(caught.value))[1])
    assert fast_select.plan(**LARGE, memory=needed << 20)["working_bytes"] <= needed << 20


def test_members_choose_blocks_as_one_process_with_scratch_does():
    params = _core.Params("plan", ratio=0.1, workers=3, threads=2)
    limit = 160 << 20
    rows, _ = _core.fitting(64, [10**6], 10**5, params, limit, 64 << 20, is_mapped=True)
    plan = fast_select.plan(shape=(10**6, 64), ratio=0.1, workers=3, threads=2, memory=limit)
    assert plan["block_rows"] == rows


@pytest.mark.parametrize("method", ["paper", "random", "k-means", "k-center", "herding"])
def test_what_cannot_be_shared_is_one_worker_s(method):
    one, many = (
        fast_select.plan(
            shape=(20_000, 80), ratio=0.02, method=method, rank=True, weights="nearest", workers=w
        )
        for w in (1, 50)
    )
    names = [stage["name"] for stage in one["stages"]]
    assert names[:3] == ["statistics", "components", "z"]
    assert "weights" in names and "quality" in names
    work = {name: stage["cpu_s"] for name, stage in stages_of(one).items()}
    # A worker more or less changes nothing in what one of them does alone.
    for name, stage in list(stages_of(many).items())[3:]:
        share = one["multiply_adds_per_s"] / many["multiply_adds_per_s"]
        assert stage["cpu_s"] == pytest.approx(work[name] * share)


def test_few_blocks_need_no_chain():
    plan = fast_select.plan(shape=(60_000, 16), ratio=0.1, workers=4, threads=1)
    ready = stages_of(plan)["ready"]
    assert ready["seconds"] == pytest.approx(ready["cpu_s"] / 4)


@pytest.mark.parametrize(
    "options,told",
    [
        ({}, "x: is not given. Give it, or shape"),
        ({"shape": (10,)}, r"shape: \(10,\) is not a number of rows and one of columns"),
        ({"shape": (10, 2.5)}, "shape: .* is not a number of rows"),
        ({"shape": "10x2"}, "shape: '10x2' is not a number of rows"),
        ({"shape": 10}, "shape: 10 is not a number of rows"),
        ({"shape": (-1, 2)}, "shape: .* is not a number of rows"),
        ({"shape": (2**62, 2**62)}, "shape: .* is not a number of rows"),
        ({"shape": (10**30, 2)}, "shape: .* is not a number of rows"),
        ({"shape": (0, 3)}, "shape: .*nothing to select from"),
        ({"shape": (5 * 10**9, 3)}, "shape: has 5000000000 rows, more than 4294967295"),
        ({"shape": (100, 3), "dtype": "complex64"}, "shape: .*complex"),
        ({"shape": (100, 3), "dtype": "float31"}, "dtype: 'float31' is no type of numbers"),
        ({"shape": (100, 3), "dtype": "U3"}, "shape: "),
        ({"shape": (100, 3), "labels": [0] * 100}, "labels: has no effect with a shape"),
        ({"shape": (100, 3), "groups": [0] * 100}, "groups: has no effect with a shape"),
        ({"shape": (100, 3), "balance": "equal"}, "balance: has no effect without labels"),
        ({"shape": (100, 3), "memory": 2**30}, "memory: has no effect without workers"),
        ({"shape": (100, 3), "bandwidth": 2**30}, "bandwidth: has no effect without workers"),
        ({"shape": (100, 3), "workers": 0}, "workers: 0 is not an integer from 1"),
        ({"shape": (100, 3), "workers": 2.0}, "workers: 2.0 is not an integer from 1"),
        ({"shape": (100, 3), "workers": 2, "max_memory": 2**40}, "max_memory: is of one process"),
        ({"shape": (100, 3), "workers": 2, "scratch": "."}, "scratch: has no effect with workers"),
        ({"shape": (100, 3), "workers": 2, "bandwidth": 0}, "bandwidth: 0 is not a number of"),
    ],
)
def test_refused(options, told):
    with pytest.raises(InvalidInputError, match=told):
        fast_select.plan(ratio=0.1, **options)


def test_an_input_and_a_shape_are_refused():
    with pytest.raises(InvalidInputError, match="x and shape: are both given"):
        fast_select.plan(np.zeros((9, 2)), shape=(9, 2), ratio=0.5)
    with pytest.raises(InvalidInputError, match="dtype: has no effect without a shape"):
        fast_select.plan(np.zeros((9, 2)), dtype="float32", ratio=0.5)


@pytest.mark.parametrize(
    "words,told",
    [
        ([], "input: is not given. Give it, or --shape."),
        (["x.npy", "--shape", "9x2"], "input and --shape: are both given. Give one of them."),
        (
            ["--shape", "9"],
            "--shape: '9' is not a number of rows, x, and a number of",
        ),
        (["--shape", "0x3"], "--shape: has shape (0, 3): there is nothing to select from."),
        (["--shape", "9x2", "--key", "a"], "--key: has no effect without an input. Leave it out."),
        (["--shape", "9x2", "--labels", "y"], "--labels: has no effect without an input."),
        (["--shape", "9x2", "--flatten"], "--flatten: has no effect without an input."),
        (["--shape", "9x2", "--memory", "1GiB"], "--memory: has no effect without workers."),
        (["--shape", "9x2", "--dtype", "no"], "--dtype: 'no' is no type of numbers."),
        (["--shape", "9x2", "--workers", "0"], "--workers: 0 is not an integer from 1 to"),
        (
            ["--shape", "9x2", "--workers", "2", "--max-memory", "1GiB"],
            "With --workers, give",
        ),
        (
            ["--shape", "999x9", "--workers", "2", "--memory", "1MiB"],
            "--memory: 1 MiB is less than",
        ),
    ],
)
def test_refused_by_the_command(run, words, told):
    got = run("plan", *words, "--ratio", "0.5")
    assert got.returncode == 2
    text = got.stderr.decode()
    assert text.startswith("Error: ") and text.count("\n") == 1 and told in text


def test_workers_have_an_input_too(run, tmp_path):
    x, y = np.zeros((3000, 12)), np.arange(3000) % 3
    np.savez(tmp_path / "x.npz", x=x, y=y)
    words = ("--key", "x", "--label-key", "y", "--ratio", "0.1", "--workers", "3", "--json")
    got = run("plan", tmp_path / "x.npz", *words)
    assert got.returncode == 0, got.stderr
    plan = json.loads(got.stdout)
    assert plan["input"]["n_classes"] == 3 and plan["workers"] == 3


def test_bytes_in_scratch_are_told(run, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4000, 100), np.float32))
    (tmp_path / "scratch").mkdir()
    got = run("plan", tmp_path / "x.npy", "--ratio", "0.1", "--scratch", tmp_path / "scratch")
    assert got.returncode == 0, got.stderr
    # 80 columns of 4 bytes.
    assert "1.2 MiB of Z are written to files of --scratch" in got.stdout.decode()
