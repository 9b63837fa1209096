"""``fast-select [select] INPUT --ratio R``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._options import (
    AdvancedCommand,
    feature_options,
    given,
    output_options,
    screen_options,
    table_options,
)

if TYPE_CHECKING:
    from ._commit import Outcome


@click.command(cls=AdvancedCommand, short_help="Select rows (the default command).")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@feature_options
@table_options(
    "select",
    several="Given several times: nested selections, each within the next larger one.",
)
@output_options
@screen_options
@click.pass_obj
def select(
    outcome: Outcome,
    /,
    inputs: tuple[str, ...],
    key: str | None,
    labels: str | None,
    label_key: str | None,
    label_column: str | None,
    ratios: tuple[float, ...],
    include: str | None,
    exclude: str | None,
    flatten: bool,
    output: str | None,
    report: str | None,
    assign: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select rows of INPUT whose distribution equals the whole one's.

    INPUT is a .npy or .npz file, - for one on standard input, a pipe, several files, or a folder of
    them (shards of one matrix). Indices are written in ascending order.

    \b
    fast-select features.npy --ratio 0.1
    fast-select data.npz --key x --label-key y --count 1000 -o rows.csv
    fast-select x.npy --ratio 0.3 --ratio 0.1    # x.selected-0.3.npy, x.selected-0.1.npy
    fast-select shards/ --ratio 0.05 --labels labels.txt --quiet -o -
    """  # fmt: skip
    from .._checks import checked
    from .._errors import InvalidInputError
    from ..energy import Meter
    from ..io import read_indices
    from ._inputs import read_inputs
    from ._run import places, select_and_write
    from ._sources import Sources
    from ._targets import default_stem

    options = given(parameters)
    for ratio in ratios or (None,):
        params = checked("select", {**options, "ratio": ratio})
        params.check_size()
    if len(set(ratios)) < len(ratios):
        raise InvalidInputError("--ratio", "is given twice with the same value", "Leave one out")
    stem = default_stem(inputs)
    targets = places(stem, output, report, assign, ratios=ratios, as_json=as_json, force=force)
    meter = Meter(params.values()["watts_per_core"])
    meter.begin("read")
    sources = Sources([*inputs, labels, include, exclude])
    features, y = read_inputs(inputs, key, labels, label_key, label_column, flatten=flatten)
    for name, path in (("include", include), ("exclude", exclude)):
        if path is not None:
            options[name] = read_indices(Path(path), n=features.x.shape[0])
    select_and_write(
        features, y, targets, meter, sources, outcome,
        ratios=ratios, quiet=quiet, as_json=as_json, **options,
    )  # fmt: skip
