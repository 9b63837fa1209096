"""``fast-select demo``: the main job on the small real data set in the package."""

from __future__ import annotations

from importlib import resources
from typing import Any

import click

from ._options import StrictCommand, given, output_options, screen_options, table_options

RATIO = 0.1


@click.command(
    cls=StrictCommand, short_help="Select from 3,823 handwritten digits that come along."
)
@table_options("demo")
@output_options
@screen_options
def demo(
    output: str | None,
    report: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select 10 % of the UCI optical digits (3,823 rows, 64 columns, 10 classes), which come along.

    Data: E. Alpaydin and C. Kaynak 1998, UCI Machine Learning Repository, CC BY 4.0.
    """
    from .. import io
    from .._checks import checked
    from ..energy import Meter
    from ._run import Targets, select_and_write

    options = given(parameters)
    meter = Meter(checked("demo", options).values()["watts_per_core"])
    meter.begin("read")
    with resources.as_file(resources.files("fast_select") / "data" / "optdigits.npz") as path:
        features = io.read_features([str(path)], key="x", flatten=False)
        labels = io.read_labels(path, key="y")
        targets = Targets.of(features.stem, output, report, as_json=as_json, force=force)
        select_and_write(
            features, labels, [targets], meter, quiet=quiet, as_json=as_json, ratios=[RATIO],
            **options,
        )  # fmt: skip
