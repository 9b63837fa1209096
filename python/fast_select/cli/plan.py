"""``fast-select plan INPUT --ratio R``: what a selection will take."""

from __future__ import annotations

from typing import Any

import click

from ._options import AdvancedCommand, feature_options, given, table_options


@click.command(cls=AdvancedCommand, short_help="Estimate time and memory before a selection.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@feature_options
@table_options("plan")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def plan(
    inputs: tuple[str, ...],
    key: str | None,
    columns: str | None,
    labels: str | None,
    label_key: str | None,
    label_column: str | None,
    id_key: str | None,
    flatten: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Estimate seconds and memory of a selection, stage by stage, without running it.

    Bytes follow from the sizes of its buffers; seconds from those and a short measurement of this
    machine. Options that `select` has and this command has not change neither.
    """
    from .. import plan as estimate
    from ._inputs import read_inputs
    from ._output import check_stdout, print_json
    from ._tables import show_plan

    check_stdout()
    options = given(parameters)
    features, y = read_inputs(
        inputs, key, labels, label_key, label_column,
        columns=columns, id_key=id_key, flatten=flatten, max_memory=options.get("max_memory"),
    )  # fmt: skip
    result = estimate(features.x, labels=y, **options)
    if as_json:
        print_json(result)
    else:
        show_plan(result)
