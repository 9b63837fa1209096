"""``fast-select plan INPUT --ratio R``: what a selection will take."""

from __future__ import annotations

import re
from typing import Any

import click

from .._errors import refused
from ._options import (
    AdvancedCommand,
    feature_options,
    group_options,
    parted,
    scratch_option,
    table_options,
)


@click.command(cls=AdvancedCommand, short_help="Estimate time and memory before a selection.")
@click.argument("inputs", nargs=-1, metavar="[INPUT...]")
@click.option(
    "--shape",
    metavar="ROWSxCOLUMNS",
    help="Plan for an input of this shape, without classes, instead of an INPUT: 1000000000x768.",
)
@click.option("--dtype", help="Type of its numbers. [default: float32]")
@feature_options
@group_options
@table_options("plan")
@scratch_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def plan(
    inputs: tuple[str, ...],
    shape: str | None,
    dtype: str | None,
    scratch: str | None,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Estimate seconds and memory of a selection, stage by stage, without running it.

    Bytes follow from the sizes of its buffers; seconds from those and a short measurement of this
    machine. Options that `select` has and this command has not change neither.

    With --workers the plan is of a run that so many processes share in, with --threads each, and
    also has the bytes that they read, write and send.
    """
    from .. import plan as estimate
    from .._scratch import Scratch
    from ._inputs import read_arrays, read_balance, read_matrix
    from ._output import check_stdout, print_json
    from ._tables import show_plan

    check_stdout()
    named, options = parted({"inputs": inputs, **parameters})
    options = read_balance(options)
    if inputs and shape is None:
        room = Scratch.of(scratch)
        features = read_matrix(named, options.get("max_memory"), room)
        options |= read_arrays(named, features)
        result = estimate(features.x, dtype=dtype, scratch=room, **options)
    else:
        for name in named:
            if name != "inputs":
                raise refused(name, "has no effect without an input", "Leave it out")
        size = None if shape is None else shape_of(shape)
        # Refused, if both are given.
        result = estimate(inputs or None, shape=size, dtype=dtype, scratch=scratch, **options)
    if as_json:
        print_json(result)
    else:
        show_plan(result)


def shape_of(text: str) -> tuple[int, int]:
    """Rows and columns of 1000x64, 1,000 x 64 or 1e3x64."""
    match = re.fullmatch(r"(\d[\d,_]*|\de\d\d?) ?[xX] ?(\d[\d,_]*)", text.strip())
    if not match:
        fact = f"'{text}' is not a number of rows, x, and a number of columns"
        raise refused("shape", fact, "Write it as 1000000x64")
    rows, columns = (re.sub("[,_]", "", word) for word in match.groups())
    return int(float(rows)) if "e" in rows else int(rows), int(columns)
