"""``fast-select merge DIR``: the end of a selection that shares have made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._idle import IDLE_IN_BLOCKS
from ._options import (
    AdvancedCommand,
    chosen_options,
    given,
    instruction_set_option,
    output_options,
    screen_options,
    subset_option,
)

if TYPE_CHECKING:
    from ._commit import Outcome


@click.command(cls=AdvancedCommand, short_help="End a selection whose shares are done.")
@click.argument("folder", metavar="DIR")
@output_options
@subset_option
@chosen_options("select", IDLE_IN_BLOCKS)
@instruction_set_option
@screen_options
@click.pass_obj
def merge(outcome: Outcome, /, folder: str, **parameters: Any) -> None:
    """Select what `fast-select shard` was asked for, from what its shares have left in DIR.

    What they have not done is done here. Input and options are those of the last share; of others
    only those may be given on which no row depends. Files are written as `fast-select select`
    writes them.

    \b
    fast-select merge work -o rows.npy --report rows.report.json
    """  # fmt: skip
    from ._order import Order
    from ._selection import select_in_words

    order = Order.last(Path(folder))
    own = {name: parameters.pop(name) for name in IDLE_IN_BLOCKS}
    select_in_words(
        outcome, order.named, {**order.options, **given(own)}, tuple(order.ratios),
        scratch=None, checkpoint=folder, cluster=None, **parameters,
    )  # fmt: skip
