"""``fast-select [select] INPUT --ratio R``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ._options import (
    AdvancedCommand,
    asked_by,
    checkpoint_option,
    cluster_option,
    feature_options,
    group_options,
    instruction_set_option,
    output_options,
    parted,
    scratch_option,
    screen_options,
    subset_option,
    table_options,
)

if TYPE_CHECKING:
    from ._commit import Outcome


@click.command(cls=AdvancedCommand, short_help="Select rows (the default command).")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@feature_options
@group_options
@table_options(
    "select",
    several="Given several times: nested selections, each within the next larger one.",
)
@output_options
@subset_option
@scratch_option
@checkpoint_option
@cluster_option
@instruction_set_option
@screen_options
@click.pass_obj
def select(
    outcome: Outcome,
    /,
    inputs: tuple[str, ...],
    ratios: tuple[float, ...],
    **parameters: Any,
) -> None:
    """Select rows of INPUT whose distribution equals the whole one's.

    INPUT is a .npy, .npz, .parquet, .arrow, .feather or .csv file, - for one on standard input, a
    pipe, several files, or a folder of them (shards of one matrix); with --cluster also a URL such
    as s3://bucket/x.npy. Indices are written in ascending order, or with --rank in that of the
    ranks.

    \b
    fast-select features.npy --ratio 0.1
    fast-select data.npz --key x --label-key y --count 1000 -o rows.csv
    fast-select frames.npy --groups videos.txt --max-per-group 2 --ratio 0.05
    fast-select parts/ --key embedding --id-key id --ratio 0.01 -o rows.parquet
    fast-select x.npy --ratio 0.3 --ratio 0.1    # x.selected-0.3.npy, x.selected-0.1.npy
    fast-select shards/ --ratio 0.05 --labels labels.txt --quiet -o -
    fast-select x.npy --ratio 0.01 --cluster tcp://host:8786 --checkpoint /shared/work
    """  # fmt: skip
    from ._selection import select_in_words

    named, options = parted({"inputs": inputs, **asked_by(parameters)})
    select_in_words(outcome, named, options, ratios, **parameters)
