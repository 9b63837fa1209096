"""``fast-select [select] INPUT --ratio R``: the main job."""

from __future__ import annotations

from typing import Any

import click

from ._options import (
    ADVANCED,
    AdvancedCommand,
    advanced_options,
    feature_options,
    run_options,
)


@click.command(cls=AdvancedCommand, short_help="Select rows (the default command).")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--ratio", type=float, help="Share of the rows to select, above 0 and at most 1.")
@click.option("--count", type=int, help="Number of rows to select.")
@feature_options
@click.option(
    "--balance",
    type=click.Choice(["proportional", "equal"]),
    default="proportional",
    show_default=True,
    help="How the count is shared out among the classes.",
)
@run_options
@advanced_options
def select(
    inputs: tuple[str, ...],
    key: str | None,
    labels: str | None,
    label_key: str | None,
    flatten: bool,
    watts_per_core: float,
    output: str | None,
    report: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    r"""Select rows of INPUT whose distribution equals the whole one's.

    INPUT is a .npy or .npz file, - for a .npy on standard input, several files, or a folder of
    them (shards of one matrix). Indices are written in ascending order.

    \b
    fast-select features.npy --ratio 0.1
    fast-select data.npz --key x --label-key y --count 1000 -o rows.csv
    fast-select shards/ --ratio 0.05 --labels labels.txt --quiet -o -
    """  # fmt: skip
    from .._errors import InvalidInputError
    from ..energy import Meter
    from ._inputs import read_inputs
    from ._run import Targets, select_and_write

    if (parameters["ratio"] is None) == (parameters["count"] is None):
        both = "both given" if parameters["ratio"] is not None else "both missing"
        raise InvalidInputError("--ratio and --count", both, "Give one of them")
    meter = Meter(watts_per_core)
    meter.begin("read")
    features, y = read_inputs(inputs, key, labels, label_key, flatten=flatten)
    targets = Targets.of(features.stem, output, report, as_json=as_json, force=force)
    given = {k: v for k, v in parameters.items() if k not in ADVANCED or v is not None}
    select_and_write(features, y, targets, meter, quiet=quiet, as_json=as_json, **given)
