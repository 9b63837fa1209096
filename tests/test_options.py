"""One table of options: what the package, the command and the documentation say is what it says."""

import inspect
import warnings

import click
import numpy as np
import pytest

import fast_select
import generated
from fast_select import InvalidInputError, _core
from fast_select.cli._main import cli

COMMANDS = ["select", "demo", "plan", "evaluate", "compare", "verify"]


@pytest.mark.parametrize("name", generated.FILES)
def test_what_is_generated_is_not_stale(name):
    text = (generated.PACKAGE / name).read_text()
    assert generated.FILES[name](text) == text, "run python tests/generated.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_has_the_options_of_the_table(command):
    flags = {
        param.opts[0]: param
        for param in cli.commands[command].params
        if isinstance(param, click.Option)
    }
    for entry in _core.option_table(command):
        shown = flags[entry["flag"]].help
        assert shown.startswith(entry["help"])
        silent = entry["default"] is None or entry["kind"] == "flag"
        assert silent or f"[default: {entry['default']}]" in shown


@pytest.mark.parametrize("command", ["select", "evaluate"])
def test_the_docstring_has_every_option_with_its_default(command):
    text = inspect.getdoc(getattr(fast_select, command))
    for entry in _core.option_table(command):
        assert f"\n{entry['name']} : " in text
        assert f", default {entry['default']}\n" in text.split(f"\n{entry['name']} : ")[1]


def test_defaults_of_commands_are_their_own():
    assert _core.Params("select").values()["n_random"] == 20
    assert _core.Params("evaluate").values()["n_random"] == 100


@pytest.mark.parametrize(
    "options,what,fact",
    [
        ({"n_neighbors": 1}, "n_neighbors", "1 is not an integer, 2 or more"),
        ({"n_neighbors": 2.0}, "n_neighbors", "2.0 is not an integer, 2 or more"),
        ({"n_neighbors": True}, "n_neighbors", "True is not an integer, 2 or more"),
        ({"seed": -1}, "seed", "-1 is not an integer from 0 to 18446744073709551615"),
        ({"ratio": "0.1"}, "ratio", "'0.1' is not a number above 0 and at most 1"),
        ({"ratio": float("nan")}, "ratio", "NaN is not a number above 0 and at most 1"),
        (
            {"balance": "odd"},
            "balance",
            "'odd' is not one of proportional, equal, or rows of each class by its label",
        ),
        ({"max_memory": 0}, "max_memory", "0 is not a number of bytes, 1 or more"),
        ({"max_memory": "2GiB"}, "max_memory", "'2GiB' is not a number of bytes, 1 or more"),
        ({"seed": None}, "seed", "nothing is not an integer from 0 to 18446744073709551615"),
        ({"radius": 1}, "select", "has no option 'radius'"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_rule(options, what, fact):
    with pytest.raises(_core.Refused) as caught:
        _core.Params("select", **options)
    assert caught.value.args[:2] == (what, fact)


def test_whole_numbers_are_numbers():
    assert _core.Params("select", base_radius=1).values()["base_radius"] == 1.0


WRONG = {
    "ratio": ["0.1", b"0.1", [0.1], (0.1, 0.2), np.array([0.1]), np.array([0.1, 0.2]), {}, 1j, True,
              np.bool_(True), np.array("0.1"), object(), float("nan"), np.zeros((50, 50))],
    "count": ["5", 5.0, [5], np.array([5]), np.float64(5), -1, 2**64, np.array(["5"])],
    "seed": [np.array([1, 2]), range(3), "1", 1.5, -1, 2**64, [1]],
    "max_memory": ["2GiB", 2.5, b"2", [2], 0],
    "threads": ["2", 2.0, [2], 0],
    "method": [3, ["fast"], b"fast", "Fast", "\udcff"],
    "watts_per_core": ["10", float("inf"), [10]],
    "n_random": [None],
    "progress": [5, "print"],
    "meter": [5, "rapl"],
}  # fmt: skip


@pytest.mark.parametrize(
    "name,value", [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_type_is_refused_by_name_on_one_line(name, value):
    options = {"ratio": 0.1, "n_random": 2, name: value}
    if name == "count":
        del options["ratio"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidInputError) as caught:
            fast_select.select(np.eye(60), **options)
    assert caught.value.what == name
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "ratios", [0.1, "0.1", [], ["a", "b"], [0.1, 0.1], [0.1, [0.2]], [float("nan"), 0.1], None]
)
def test_ratios_that_are_no_numbers_are_refused(ratios):
    with pytest.raises(InvalidInputError, match="ratio"):
        fast_select.select_nested(np.eye(60), ratios=ratios)


def test_numbers_of_numpy_are_numbers():
    params = _core.Params("select", ratio=np.float32(0.5), seed=np.uint8(3), count=None)
    assert (params.values()["ratio"], params.values()["seed"]) == (0.5, 3)
    several = fast_select.select_nested(np.eye(60), ratios=np.array([0.1, 0.2]), n_random=2)
    assert [found.indices.size for found in several] == [6, 12]
