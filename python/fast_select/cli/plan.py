"""``fast-select plan INPUT --ratio R``: what a selection will take."""

from __future__ import annotations

from typing import Any

import click

from ._options import (
    AdvancedCommand,
    feature_options,
    group_options,
    parted,
    scratch_option,
    table_options,
)


@click.command(cls=AdvancedCommand, short_help="Estimate time and memory before a selection.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@feature_options
@group_options
@table_options("plan")
@scratch_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def plan(
    inputs: tuple[str, ...],
    scratch: str | None,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Estimate seconds and memory of a selection, stage by stage, without running it.

    Bytes follow from the sizes of its buffers; seconds from those and a short measurement of this
    machine. Options that `select` has and this command has not change neither.
    """
    from .. import plan as estimate
    from .._scratch import Scratch
    from ._inputs import read_arrays, read_balance, read_matrix
    from ._output import check_stdout, print_json
    from ._tables import show_plan

    check_stdout()
    named, options = parted({"inputs": inputs, **parameters})
    options = read_balance(options)
    room = Scratch.of(scratch)
    features = read_matrix(named, options.get("max_memory"), room)
    options |= read_arrays(named, features)
    result = estimate(features.x, scratch=room, **options)
    if as_json:
        print_json(result)
    else:
        show_plan(result)
