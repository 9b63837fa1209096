"""``fast-select [select] INPUT --ratio R``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ._options import (
    AdvancedCommand,
    advanced_options,
    balance_option,
    feature_options,
    memory_option,
    run_options,
)


@click.command(cls=AdvancedCommand, short_help="Select rows (the default command).")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--ratio",
    "ratios",
    type=float,
    multiple=True,
    help="Share of the rows to select, above 0 and at most 1. Given several times: nested "
    "selections, each within the next larger one.",
)
@click.option("--count", type=int, help="Number of rows to select.")
@feature_options
@balance_option
@click.option("--include", help="File of rows (.npy, .npz, .txt, .csv) to select in any case.")
@click.option("--exclude", help="File of rows not to select; they still count in the whole.")
@memory_option
@run_options
@advanced_options
def select(
    inputs: tuple[str, ...],
    key: str | None,
    labels: str | None,
    label_key: str | None,
    ratios: tuple[float, ...],
    include: str | None,
    exclude: str | None,
    flatten: bool,
    watts_per_core: float,
    output: str | None,
    report: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select rows of INPUT whose distribution equals the whole one's.

    INPUT is a .npy or .npz file, - for a .npy on standard input, several files, or a folder of
    them (shards of one matrix). Indices are written in ascending order.

    \b
    fast-select features.npy --ratio 0.1
    fast-select data.npz --key x --label-key y --count 1000 -o rows.csv
    fast-select x.npy --ratio 0.3 --ratio 0.1    # x.selected-0.3.npy, x.selected-0.1.npy
    fast-select shards/ --ratio 0.05 --labels labels.txt --quiet -o -
    """  # fmt: skip
    from .._errors import InvalidInputError
    from ..energy import Meter
    from ..io import read_indices
    from ._inputs import read_inputs
    from ._run import Targets, select_and_write

    count = parameters["count"]
    if bool(ratios) == (count is not None):
        both = "both given" if ratios else "both missing"
        raise InvalidInputError("--ratio and --count", both, "Give one of them")
    meter = Meter(watts_per_core)
    meter.begin("read")
    features, y = read_inputs(inputs, key, labels, label_key, flatten=flatten)
    targets = [
        Targets.of(features.stem, output, report, as_json=as_json, force=force, ratio=ratio)
        for ratio in (ratios if len(ratios) > 1 else (None,))
    ]
    given = {k: v for k, v in parameters.items() if v is not None}
    for name, path in (("include", include), ("exclude", exclude)):
        if path is not None:
            given[name] = read_indices(Path(path))
    select_and_write(
        features, y, targets, meter, ratios=ratios, quiet=quiet, as_json=as_json, **given
    )
