"""``fast-select plan INPUT --ratio R``: what a selection will take."""

from __future__ import annotations

from typing import Any

import click

from ._options import (
    AdvancedCommand,
    advanced_options,
    balance_option,
    feature_options,
    memory_option,
    random_option,
    threads_option,
)


@click.command(cls=AdvancedCommand, short_help="Estimate time and memory before a selection.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--ratio", type=float, help="Share of the rows to select, above 0 and at most 1.")
@click.option("--count", type=int, help="Number of rows to select.")
@feature_options
@balance_option
@threads_option
@random_option
@memory_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@advanced_options
def plan(
    inputs: tuple[str, ...],
    key: str | None,
    labels: str | None,
    label_key: str | None,
    flatten: bool,
    scale: str,
    nonfinite: str,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Estimate seconds and memory of a selection, stage by stage, without running it.

    Bytes follow from the sizes of its buffers; seconds from those and a short measurement of this
    machine. Options that `select` has and this command has not change neither.
    """
    from .. import plan as estimate
    from ._inputs import read_inputs
    from ._output import to_json
    from ._tables import show_plan

    del scale, nonfinite  # Options of `select` that change neither time nor memory.
    features, y = read_inputs(inputs, key, labels, label_key, flatten=flatten)
    given = {k: v for k, v in parameters.items() if v is not None}
    result = estimate(features.x, labels=y, **given)
    if as_json:
        click.echo(to_json(result), nl=False)
    else:
        show_plan(result)
