"""The command from outside: streams, files, exit codes."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest


def files(run):
    return sorted(p.name for p in run.folder.iterdir())


def test_default_outputs(run, features):
    got = run(features, "--ratio", "0.1")
    assert got.returncode == 0, got.stderr.decode()
    assert got.stdout == b""
    assert files(run) == ["features.report.json", "features.selected.npy"]
    indices = np.load(run.folder / "features.selected.npy")
    assert indices.dtype == np.int64
    assert indices.size == 40
    assert (np.diff(indices) > 0).all()
    report = json.loads((run.folder / "features.report.json").read_text())
    assert report["selection"]["count"] == 40
    assert report["input"]["files"] == [str(features)]
    assert len(report["input"]["sha256"]) == 64
    text = got.stderr.decode()
    for word in ("exchange", "CF distance", "Wrote"):
        assert word in text
    assert ("estimated" in text) == (report["energy"]["source"] == "estimated")
    assert "\x1b" not in text


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".txt", ".csv"])
def test_output_by_suffix(run, features, suffix):
    labels = run.folder / "labels.txt"
    labels.write_text("\n".join(['"a,b"', "c"] * 200))
    got = run(features, "--count", "20", "-o", f"rows{suffix}", "--labels", labels, "--quiet")
    assert got.returncode == 0, got.stderr.decode()
    assert got.stderr == b""
    path = run.folder / f"rows{suffix}"
    if suffix == ".npy":
        indices = np.load(path)
    elif suffix == ".npz":
        indices = np.load(path)["indices"]
    else:
        lines = path.read_text().splitlines()
        if suffix == ".csv":
            assert lines.pop(0) == "index,label"
            assert {line.split(",", 1)[1] for line in lines} == {'"a,b"', "c"}
        indices = [int(line.split(",")[0]) for line in lines]
    assert len(set(indices)) == 20


def test_pipes(run, features):
    got = run("-", "--count", "7", "-o", "-", stdin=features.read_bytes())
    assert got.returncode == 0
    rows = [int(line) for line in got.stdout.split()]
    assert rows == sorted(set(rows))
    assert len(rows) == 7
    assert files(run) == []


def test_a_reader_that_leaves_early_is_no_error(run, features):
    command = f"{sys.executable} -m fast_select {features} --ratio 0.9 -o - --quiet"
    got = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} | head -n 1"],
        capture_output=True,
        cwd=run.folder,
        check=False,
    )
    assert (got.returncode, got.stderr) == (0, b"")


def test_json_on_stdout(run, features):
    got = run(features, "--ratio", "0.1", "--json", "--quiet")
    assert json.loads(got.stdout)["schema"] == 1
    refused = run(features, "--ratio", "0.1", "--json", "-o", "-")
    assert refused.returncode == 2
    assert b"both print on stdout" in refused.stderr


def test_nothing_is_overwritten_without_force(run, features):
    path = run.folder / "features.report.json"
    path.write_text("mine")
    got = run(features, "--ratio", "0.1")
    assert got.returncode == 2
    assert b"features.report.json: exists. Use --force" in got.stderr
    assert path.read_text() == "mine"
    assert files(run) == ["features.report.json"]
    assert run(features, "--ratio", "0.1", "--force").returncode == 0
    assert path.read_text() != "mine"


def test_default_command_and_select_are_the_same(run, features):
    first = run(features, "--count", "9", "-o", "-", "--quiet")
    second = run("select", features, "--count", "9", "-o", "-", "--quiet")
    third = run("--count", "9", "-o", "-", "--quiet", features)
    assert first.stdout == second.stdout == third.stdout != b""


def test_same_rows_for_any_number_of_threads(run, features):
    outputs = {
        run(features, "--count", "30", "-o", "-", "--quiet", "--threads", t).stdout
        for t in (1, 2, 4)
    }
    assert len(outputs) == 1


def test_demo(run):
    got = run("demo")
    assert got.returncode == 0, got.stderr.decode()
    assert np.load(run.folder / "optdigits.selected.npy").size == 382
    report = json.loads((run.folder / "optdigits.report.json").read_text())
    assert report["verdict"].startswith("Better than random")
    assert len(report["selection"]["classes"]) == 10


def test_help_and_version(run):
    assert b"fast-select demo" in run("--help").stdout
    text = run("select", "--help").stdout.decode()
    assert "Advanced" in text
    assert "--learning-rate" in text.split("Advanced")[1]
    version = run("--version").stdout.decode()
    assert "thread" in version


def test_slurm_is_obeyed(run):
    assert b", 1 thread)" in run("--version", SLURM_CPUS_PER_TASK="1").stdout


def test_openmp_is_not(run):
    expected = run("--version").stdout
    assert run("--version", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1").stdout == expected


def bad_matrix(rows):
    x = np.ones((60, 3))
    x += np.arange(60)[:, None]
    x[rows] = np.nan
    return x


@pytest.mark.parametrize(
    "array,arguments,message",
    [
        (np.ones(5), ["--ratio", "0.1"], "where rows and columns are needed"),
        (np.ones((0, 5)), ["--ratio", "0.1"], "nothing to select from"),
        (np.ones((3, 2, 2)), ["--ratio", "0.5"], "Use --flatten"),
        (np.array([["a"]]), ["--ratio", "0.5"], "x.npy: holds <U1, not real numbers"),
        (bad_matrix([4, 8]), ["--ratio", "0.5"], "2 rows hold NaN or infinity (row 4, 8)"),
        (bad_matrix([4]), ["--ratio", "0.5"], "set --nonfinite to drop to leave them out"),
        (bad_matrix(slice(0, 50)), ["--count", "20", "--nonfinite", "drop"], "--count"),
        (bad_matrix([]), [], "--ratio and --count: are both missing"),
        (bad_matrix([]), ["--ratio", ".1", "--count", "2"], "--ratio and --count: are both given"),
        (bad_matrix([]), ["--ratio", "0"], "--ratio: 0 is not a number above 0"),
        (bad_matrix([]), ["--ratio", "nan"], "--ratio: NaN is not a number above 0"),
        (bad_matrix([]), ["--count", "61"], "--count: 61 is more than the 60 rows"),
        (bad_matrix([]), ["--ratio", "1e-9", "--labels", "labels.txt"], "2 classes"),
        (
            bad_matrix([]),
            ["--ratio", ".1", "--labels", "short.txt"],
            "holds 2 labels where 60 rows",
        ),
        (bad_matrix([]), ["--ratio", ".1", "--labels", "none.txt"], "does not exist"),
        (bad_matrix([]), ["--ratio", ".1", "-o", "rows.xyz"], "has the suffix '.xyz'"),
        (bad_matrix([]), ["--ratio", ".1", "-o", "nowhere/rows.npy"], "does not exist"),
        (bad_matrix([]), ["--ratio", ".1", "--learning-rate", "-1"], "--learning-rate"),
        (bad_matrix([]), ["--ratio", ".1", "--threads", "0"], "--threads: 0 is not an integer"),
        (bad_matrix([]), ["--ratio", ".1", "--balance", "odd"], "--balance"),
        (bad_matrix([]), ["--ratio", ".1", "--label-key", "y"], "--label-key"),
        (bad_matrix([]), ["--ratio", ".1", "--unknown"], "No such option"),
    ],
)
def test_bad_input(run, tmp_path, array, arguments, message):
    np.save(tmp_path / "x.npy", array)
    (run.folder / "labels.txt").write_text("\n".join(["a", "b"] * 30))
    (run.folder / "short.txt").write_text("a\nb\n")
    before = files(run)
    got = run(tmp_path / "x.npy", *arguments)
    text = got.stderr.decode()
    assert got.returncode == 2, text
    assert message in text
    assert "Traceback" not in text
    assert got.stdout == b""
    assert files(run) == before


def test_truncated_file(run, features):
    features.write_bytes(features.read_bytes()[:-50])
    got = run(features, "--ratio", "0.1")
    assert got.returncode == 2
    assert b"truncated" in got.stderr


def test_npz_with_labels(run, tmp_path, rng):
    path = tmp_path / "data.npz"
    np.savez(path, x=rng.normal(size=(90, 4)), y=np.arange(90) % 3)
    got = run(path, "--key", "x", "--label-key", "y", "--count", "9", "--quiet")
    assert got.returncode == 0, got.stderr.decode()
    indices = np.load(run.folder / "data.selected.npy")
    assert np.bincount(indices % 3).tolist() == [3, 3, 3]


def test_standard_input_that_is_no_array(run):
    got = run("-", "--ratio", "0.1", stdin=b"nonsense")
    assert got.returncode == 2
    assert b"standard input" in got.stderr


def test_numbers_of_a_buffer(run, rng):
    buffer = io.BytesIO()
    np.save(buffer, rng.normal(size=(30, 2)))
    got = run("-", "--count", "3", stdin=buffer.getvalue())
    assert got.returncode == 0
    assert files(run) == ["stdin.report.json", "stdin.selected.npy"]


def test_labels_with_brackets_are_shown_as_they_are(run, features, tmp_path):
    (tmp_path / "labels.txt").write_text("[pad]\n[/x]\n" * 200)
    got = run(features, "--count", "40", "--labels", tmp_path / "labels.txt")
    assert got.returncode == 0, got.stderr.decode()
    assert "[/x]: 20, [pad]: 20" in got.stderr.decode()


def test_ratios_that_look_alike_get_files_of_their_own(run, features):
    got = run(features, "--ratio", "0.2", "--ratio", "0.2000000001", "--quiet")
    assert got.returncode == 0, got.stderr.decode()
    assert len([name for name in files(run) if name.endswith(".npy")]) == 2


def test_bad_options_are_refused_with_a_memory_limit_too(run, features):
    got = run(features, "--count", "9", "--max-memory", "2GiB", "--learning-rate", "-1")
    assert got.returncode == 2
    assert b"--learning-rate: -1 is not a finite number above 0" in got.stderr
    assert b"Traceback" not in got.stderr


@pytest.mark.parametrize("command", [[], ["select"], ["compare"], ["evaluate"], ["plan"], ["demo"]])
def test_help_keeps_examples_line_by_line(run, command):
    got = run(*command, "--help")
    assert got.returncode == 0
    text = got.stdout.decode()
    assert "\\b" not in text
    for line in text.splitlines():
        assert line.count("fast-select ") <= 1, line


@pytest.mark.parametrize("name", ["count", "x", "labels"])
def test_a_file_that_is_called_like_a_parameter_keeps_its_name(run, name):
    got = run("select", name, "--ratio", "0.1")
    assert got.returncode == 2
    assert got.stderr.decode() == f"Error: {name}: does not exist. Check the path.\n"


def test_an_instruction_set_that_is_not_there_is_refused(run, features):
    got = run(features, "--ratio", "0.1", FAST_SELECT_INSTRUCTION_SET="mmx")
    assert got.returncode == 2
    assert got.stderr.startswith(b"Error: FAST_SELECT_INSTRUCTION_SET: 'mmx' is not one of")
    assert files(run) == []
    scalar = run(features, "--ratio", "0.1", "-o", "-", FAST_SELECT_INSTRUCTION_SET="scalar")
    assert scalar.returncode == 0
    assert len(scalar.stdout.split()) == 40


@pytest.mark.parametrize("args", [["no-such.npy", "--count", "3"], ["--no-such"], []])
def test_click_before_8_2_has_no_error_for_the_help_page(args):
    code = (
        "import sys, click\n"
        "vars(click.exceptions).pop('NoArgsIsHelpError', None)\n"
        "from fast_select.cli import main\n"
        f"sys.exit(main({args}))"
    )
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Traceback" not in got.stderr
    assert got.returncode == 2 or (not args and "Usage" in got.stdout + got.stderr)
    assert not args or got.stderr.count("\n") == 1
