"""``fast-select compare FEATURES --labels ... --ratio R``: methods side by side."""

from __future__ import annotations

from typing import Any

import click

from .._compared import MODELS, N_SEEDS, TEST_SHARE
from ._options import (
    StrictCommand,
    feature_options,
    file_names,
    parted,
    screen_options,
    table_options,
)


def names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[str] | None:
    """Names separated by commas."""
    return None if value is None else [name.strip() for name in value.split(",")]


@click.command(
    cls=StrictCommand, short_help="Compare selection methods by the models trained on their picks."
)
@click.argument("inputs", nargs=-1, required=True, metavar="FEATURES...")
@feature_options
@table_options("compare", several="May be given several times.")
@click.option("--test", help="Features to test on. [default: --test-share of the rows, held out]")
@click.option(
    "--test-key", help="Array of features in the .npz file of --test, or its column of vectors."
)
@click.option("--test-labels", help="File of labels of --test.")
@click.option(
    "--test-label-key",
    help="Array of labels in the .npz file of --test-labels or --test, or column of --test.",
)
@click.option("--test-label-column", metavar="NAME|NUMBER", help="Column of --test-labels.")
@click.option(
    "--test-share",
    type=float,
    help=f"Share of the rows held out without --test. [default: {TEST_SHARE}]",
)
@click.option("--methods", callback=names, help="Methods, separated by commas. [default: all]")
@click.option(
    "--models",
    callback=names,
    help=f"Models, separated by commas: {', '.join(MODELS)}. [default: all]",
)
@click.option(
    "--unlabelled", is_flag=True, help="Methods do not see the labels; only the models do."
)
@click.option(
    "--seeds",
    "n_seeds",
    type=click.IntRange(1, 1000),
    default=N_SEEDS,
    show_default=True,
    help="Selections by each method.",
)
@screen_options
def compare(
    inputs: tuple[str, ...],
    ratios: tuple[float, ...],
    test: str | None,
    test_key: str | None,
    test_labels: str | None,
    test_label_key: str | None,
    test_label_column: str | None,
    unlabelled: bool,
    n_seeds: int,
    quiet: bool,
    progress_kind: str,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select rows of FEATURES by several methods, and train models on each pick.

    \b
    fast-select compare x.npy --labels y.npy --ratio 0.01 --ratio 0.1
    fast-select compare data.npz --key x --label-key y --test data.npz --test-key x_test
        --test-label-key y_test --ratio 0.05

    Needs scikit-learn: pip install scikit-learn.
    """  # fmt: skip
    from .. import compare as run
    from .._errors import InvalidInputError, refused
    from ._inputs import read_arrays, read_matrix
    from ._output import check_stdout, print_json
    from ._progress import StageProgress
    from ._sources import Sources
    from ._tables import show_comparison

    if not ratios:
        raise refused("ratios", "is missing", "Give one or more")
    check_stdout()
    named, options = parted({"inputs": inputs, **parameters})
    sources = Sources([*file_names(named), test, test_labels])
    data = read_matrix(named)
    y = read_arrays(named, data).get("labels")
    if y is None:
        raise refused("labels", "are missing", "Give --labels or --label-key")
    if test is not None and "test_share" in options:
        raise InvalidInputError("--test-share", "has no effect with --test", "Leave one out")
    if test is not None:
        beside = test_labels if test_labels or test_label_key or test_label_column else test
        named |= {
            "inputs": [test],
            "key": test_key,
            "labels": beside,
            "label_key": test_label_key,
            "label_column": test_label_column,
            "id_key": None,
        }
        test_data = read_matrix(named)
        options["test"] = (test_data.x, read_arrays(named, test_data).get("labels"))
    elif test_key or test_labels or test_label_key or test_label_column:
        raise InvalidInputError("--test", "is missing", "Name the file of test features")
    first = options.get("seed", 0)
    seeds = range(first, first + n_seeds)
    with StageProgress(progress_kind, quiet=quiet) as progress:
        result = run(
            data.x,
            y,
            ratios=ratios,
            seeds=seeds,
            use_labels=not unlabelled,
            progress=progress,
            **options,
        )
    result["notes"] += data.notes
    sources.read(data.files)
    sources.check_unchanged()
    if as_json:
        print_json(result)
    else:
        show_comparison(result)
