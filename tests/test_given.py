"""What is given and cannot be meant is said: twice, without effect, misspelt."""

import json

import numpy as np
import pytest

import fast_select
from fast_select import _core
from fast_select.cli._main import cli
from fast_select.cli._options import is_single


def single_options():
    for command in cli.commands.values():
        for param in command.params:
            if is_single(param):
                yield command.name, max(param.opts, key=len)


def test_there_are_single_options_of_every_command_that_takes_values():
    assert {command for command, _ in single_options()} == set(cli.commands) - {"energy"}
    assert len(list(single_options())) > 80


@pytest.mark.parametrize("command,flag", list(single_options()))
def test_an_option_that_is_given_twice_is_refused(command, flag):
    """Whatever the values are, and before anything is read."""
    with pytest.raises(fast_select.InvalidInputError) as caught:
        cli.main([command, flag, "5", "x.npy", f"{flag}=5"], standalone_mode=False)
    assert caught.value.fact == "is given twice"
    short = "-o" if flag == "--output" else flag
    assert caught.value.what == short


def test_an_option_given_twice_on_the_command_line(run, features):
    got = run(features, "--count", "20", "--count", "5")
    assert got.returncode == 2
    assert got.stderr == b"Error: --count: is given twice. Give it once.\n"
    assert list(run.folder.iterdir()) == []
    both = run(features, "--count", "20", "-o", "a.npy", "--output", "b.npy")
    assert both.stderr == b"Error: -o: is given twice. Give it once.\n"
    # Flags may be repeated: nothing is undone.
    assert run(features, "--count", "20", "--force", "--force", "--quiet").returncode == 0


@pytest.mark.parametrize("command", ["select", "plan"])
@pytest.mark.parametrize("option", [["--balance", "equal"], ["--min-per-class", "3"]])
def test_what_is_about_classes_needs_labels(run, features, command, option):
    got = run(command, features, "--count", "20", *option)
    assert got.returncode == 2
    flag = option[0]
    assert got.stderr.decode() == f"Error: {flag}: has no effect without labels. Give labels.\n"
    assert list(run.folder.iterdir()) == []
    labels = run.folder / "labels.npy"
    np.save(labels, np.arange(400) % 3)
    assert run(command, features, "--count", "20", *option, "--labels", labels).returncode == 0


def test_the_default_may_be_given(rng):
    x = rng.normal(size=(60, 2))
    fast_select.select(x, count=6, balance="proportional", min_per_class=1, n_random=1)
    with pytest.raises(fast_select.InvalidInputError, match="min_per_class: has no effect"):
        fast_select.select(x, count=6, min_per_class=0)


METHODS = {
    "fast": {"base_radius", "lambda_cover", "max_sweeps"},
    "paper": {
        "space", "n_neighbors", "n_components", "n_freqs", "batch_size", "max_steps",
        "learning_rate", "lambda_div", "lambda_match", "lambda_graph", "lambda_phase", "init",
        "schedule",
    },
    "random": set(),
    "k-center": set(),
    "k-means": set(),
    "herding": set(),
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_options_of_other_methods_are_known(method):
    others = set().union(*METHODS.values()) - METHODS[method]
    own = {"integer": 7, "real": 0.25}
    for entry in _core.option_table("select"):
        if not entry["advanced"] or entry["name"] == "method":
            continue
        value = own.get(entry["kind"]) or entry["choices"][0]
        if value == entry["default"]:
            value = entry["choices"][1]
        value = 4096 if entry["name"] == "block_rows" else value
        params = _core.Params("select", method=method, **{entry["name"]: value})
        if entry["name"] in others:
            assert params.without_effect(False) == [entry["name"]]
        elif entry["name"] != "space" or value != "features":
            assert params.without_effect(False) == []


def test_spectral_components_are_of_no_use_to_features():
    params = _core.Params("select", method="paper", space="features", n_components=7)
    assert params.without_effect(False) == ["n_components"]


def test_an_option_without_effect_is_said_and_changes_nothing(run, features):
    plain = run(features, "--count", "9", "--method", "random", "-o", "-")
    got = run(
        features, "--count", "9", "--method", "random", "--sweeps", "9", "-o", "-",
        "--report", "r.json",
    )  # fmt: skip
    assert got.returncode == 0
    assert got.stdout == plain.stdout
    assert "--sweeps has no effect with --method random." in got.stderr.decode()
    assert "no effect" not in plain.stderr.decode()
    report = json.loads((run.folder / "r.json").read_text())
    assert report["selection"]["without_effect"] == ["max_sweeps"]
    planned = run("plan", features, "--count", "9", "--method", "k-means", "--neighbors", "8")
    assert "--neighbors has no effect with --method k-means." in planned.stdout.decode()


@pytest.mark.parametrize(
    "word,meant",
    [("evalute", "evaluate"), ("compair", "compare"), ("plna", "plan"), ("Select", "select"),
     ("dmo", "demo"), ("EVALUATE", "evaluate"), ("selct", "select")],
)  # fmt: skip
def test_a_misspelt_command_is_answered_as_such(run, features, word, meant):
    got = run(word, features, "rows.txt")
    assert got.returncode == 2
    assert got.stderr.decode() == (
        f"Error: {word}: is neither a command nor a file. Perhaps '{meant}' is meant.\n"
    )


@pytest.mark.parametrize("word", ["plan.npy", "evalute/x.npy", "features", "./plna"])
def test_a_file_that_is_missing_is_no_misspelt_command(run, word):
    got = run(word, "--ratio", "0.1")
    assert got.returncode == 2
    assert "does not exist" in got.stderr.decode()


def test_a_folder_that_is_called_almost_like_a_command_is_read(run, features):
    (run.folder / "plans").mkdir()
    (run.folder / "plans" / "0.npy").write_bytes(features.read_bytes())
    got = run("plans", "--count", "5", "--quiet", "-o", "-")
    assert got.returncode == 0, got.stderr.decode()
    assert len(got.stdout.split()) == 5
