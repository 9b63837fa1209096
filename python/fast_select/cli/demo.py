"""``fast-select demo``: the main job on the small real data set in the package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ._options import StrictCommand, given, output_options, screen_options, table_options

if TYPE_CHECKING:
    from ._commit import Outcome

DATA = "optdigits.npz"
RATIO = 0.1


@click.command(
    cls=StrictCommand, short_help="Select from 3,823 handwritten digits that come along."
)
@table_options("demo")
@output_options
@screen_options
@click.pass_obj
def demo(
    outcome: Outcome,
    /,
    output: str | None,
    report: str | None,
    assign: str | None,
    html: str | None,
    force: bool,
    quiet: bool,
    progress_kind: str,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Select 10 % of the UCI optical digits (3,823 rows, 64 columns, 10 classes), which come along.

    Data: E. Alpaydin and C. Kaynak 1998, UCI Machine Learning Repository, CC BY 4.0.
    """
    from importlib import resources

    from .. import io
    from .._checks import checked
    from ..energy import Meter
    from ._run import places, select_and_write
    from ._sources import Sources
    from ._targets import default_stem, page_target

    options = given(parameters)
    checked("demo", options)
    stem = default_stem([DATA])
    page = None if html is None else page_target(html, "--html", force=force)
    targets = places(
        stem, output, report, assign,
        page=page, ratios=[RATIO], as_json=as_json, force=force,
    )  # fmt: skip
    meter = Meter(options.get("watts_per_core"))
    meter.begin("read")
    with resources.as_file(resources.files("fast_select") / "data" / DATA) as path:
        sources = Sources([str(path)])
        features, matrix = io.read_features([str(path)], key="x", flatten=False).lent()
        labels = io.read_labels(path, key="y")
        named = {"inputs": [str(path)], "key": "x", "label_key": "y"}
        select_and_write(
            features, matrix, named, targets, meter, sources, outcome, labels=labels,
            page=page, ratios=[RATIO], quiet=quiet, progress_kind=progress_kind,
            as_json=as_json, **options,
        )  # fmt: skip
