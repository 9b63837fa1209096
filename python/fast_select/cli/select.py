"""``fast-select [select] INPUT --ratio R``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ._options import (
    AdvancedCommand,
    feature_options,
    file_names,
    group_options,
    output_options,
    parted,
    scratch_option,
    screen_options,
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
@click.option(
    "--subset",
    metavar="FILE",
    help="Where to write the selected rows themselves, with all their columns: .npy, .npz, or a "
    "table (.parquet, .arrow, .feather, .csv), as the input is.",
)
@scratch_option
@screen_options
@click.pass_obj
def select(
    outcome: Outcome,
    /,
    inputs: tuple[str, ...],
    ratios: tuple[float, ...],
    output: str | None,
    report: str | None,
    subset: str | None,
    assign: str | None,
    scratch: str | None,
    html: str | None,
    force: bool,
    quiet: bool,
    progress_kind: str,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select rows of INPUT whose distribution equals the whole one's.

    INPUT is a .npy, .npz, .parquet, .arrow, .feather or .csv file, - for one on standard input, a
    pipe, several files, or a folder of them (shards of one matrix). Indices are written in
    ascending order, or with --rank in that of the ranks.

    \b
    fast-select features.npy --ratio 0.1
    fast-select data.npz --key x --label-key y --count 1000 -o rows.csv
    fast-select frames.npy --groups videos.txt --max-per-group 2 --ratio 0.05
    fast-select parts/ --key embedding --id-key id --ratio 0.01 -o rows.parquet
    fast-select x.npy --ratio 0.3 --ratio 0.1    # x.selected-0.3.npy, x.selected-0.1.npy
    fast-select shards/ --ratio 0.05 --labels labels.txt --quiet -o -
    """  # fmt: skip
    from .._checks import checked
    from .._errors import InvalidInputError
    from .._scratch import Scratch
    from ..energy import Meter
    from ._inputs import balance_file, read_arrays, read_balance, read_matrix
    from ._run import places, select_and_write
    from ._sources import Sources
    from ._targets import default_stem, page_target

    named, options = parted({"inputs": inputs, **parameters})
    balance = balance_file(options)
    sources = Sources([*file_names(named), balance])
    options = read_balance(options)
    for ratio in ratios or (None,):
        checked("select", {**options, "ratio": ratio}).check_size()
    if len(set(ratios)) < len(ratios):
        raise InvalidInputError("--ratio", "is given twice with the same value", "Leave one out")
    stem = default_stem(inputs)
    page = None if html is None else page_target(html, "--html", force=force)
    targets = places(
        stem, output, report, assign, subset,
        page=page, ratios=ratios, as_json=as_json, force=force,
    )  # fmt: skip
    meter = Meter(options.get("watts_per_core"))
    meter.begin("read")
    room = Scratch.of(scratch)
    features, matrix = read_matrix(named, options.get("max_memory"), room).lent()
    options |= read_arrays(named, features) | {"scratch": room}
    select_and_write(
        features, matrix, named, targets, meter, sources, outcome,
        page=page, balance_file=balance, ratios=ratios, quiet=quiet, progress_kind=progress_kind,
        as_json=as_json, **options,
    )  # fmt: skip
