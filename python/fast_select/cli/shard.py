"""``fast-select shard K/N INPUT --ratio R --checkpoint DIR``: a share of a selection's work."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click

from .._errors import InvalidInputError
from .._text import visible
from ._options import (
    AdvancedCommand,
    checkpoint_option,
    feature_options,
    group_options,
    instruction_set_option,
    parted,
    progress_options,
    table_options,
)


@click.command(cls=AdvancedCommand, short_help="Do a share of a selection, for job arrays.")
@click.argument("share", metavar="K/N")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@feature_options
@group_options
@table_options(
    "select",
    several="Given several times: nested selections, each within the next larger one.",
)
@checkpoint_option
@instruction_set_option
@progress_options
def shard(
    share: str,
    inputs: tuple[str, ...],
    ratios: tuple[float, ...],
    checkpoint: str | None,
    instruction_set: str | None,
    quiet: bool,
    progress_kind: str,
    **parameters: Any,
) -> None:
    """Do share K of N of a selection, in the folder --checkpoint, which all shares use.

    Shares may run at the same time, on several machines, or one after the other: each takes pieces
    of work that no other has, and waits for those of others. One that was ended is done by those
    that are left, or goes on when it is run again. `fast-select merge DIR` ends the selection. The
    rows are those that one process selects, whatever N.

    \b
    fast-select shard 3/8 features/ --ratio 0.01 --checkpoint work
    fast-select merge work -o rows.npy
    """  # fmt: skip
    from .._checkpoint import Checkpoint
    from .._instruction_set import pin_instruction_set
    from .._lent import Lent
    from .._run import Run
    from ..energy import Meter
    from ._inputs import read_arrays, read_matrix
    from ._order import Order
    from ._progress import StageProgress
    from ._selection import check_asked

    pin_instruction_set(instruction_set)
    member = member_of(share)
    if checkpoint is None:
        fix = "Name a folder that all shares can write to"
        raise InvalidInputError("--checkpoint", "is missing", fix)
    named, options = parted({"inputs": inputs, **parameters})
    order = Order.of(named, options, ratios)
    options = check_asked(options, ratios)
    meter = Meter(options.get("watts_per_core"))
    meter.begin("read")
    features = read_matrix(named, options.get("max_memory"))
    options |= read_arrays(named, features)
    keeper = Checkpoint(checkpoint, member=member, files=features.files)
    sizes = [{"ratio": ratio} for ratio in sorted(ratios, reverse=True)] or [{}]
    with StageProgress(progress_kind, quiet=quiet) as progress:
        run = Run(
            Lent(features.x), sizes, None, False, None, keeper, meter, progress, options
        )  # fmt: skip
        order.write(keeper)
        run.share()
    if not quiet and progress_kind != "json":
        ending = visible(f"fast-select merge {shlex.quote(checkpoint)}")
        click.echo(f"Share {share} is done. To end the selection: {ending}", err=True)


def member_of(share: str) -> tuple[int, int]:
    """Number from 0, and how many there are, of a share such as 3/8."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", share)
    if found is None:
        fact = f"'{share}' is no share such as 3/8, the third of eight"
        raise InvalidInputError("K/N", fact, "Name it before INPUT")
    number, count = int(found[1]), int(found[2])
    if not 1 <= number <= count:
        fact = f"'{share}' is not from 1/{max(count, 1)} to {max(count, 1)}/{max(count, 1)}"
        raise InvalidInputError("K/N", fact, "Count shares from 1")
    return number - 1, count
