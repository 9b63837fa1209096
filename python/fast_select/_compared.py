"""What `compare` compares unless told otherwise; without numpy, for help and completions."""

from __future__ import annotations

from . import _core


def own_methods() -> tuple[str, ...]:
    """Methods of the package; `stratified` is `random` class by class."""
    table = _core.option_table("select")
    choices = next(option["choices"] for option in table if option["name"] == "method")
    at = choices.index("random") + 1
    return (*choices[:at], "stratified", *choices[at:])


METHODS = own_methods()

MODELS = {"1nn": "1-NN", "logreg": "log. reg.", "svm": "RBF-SVM", "forest": "forest"}
"""Downstream models and their names in tables."""

TEST_SHARE = 0.2
N_SEEDS = 3
"""Share of the rows held out, and selections by each method, unless told otherwise."""
