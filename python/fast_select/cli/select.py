"""``fast-select [select] INPUT --ratio R``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ._options import ADVANCED, AdvancedCommand, advanced_options, run_options


@click.command(cls=AdvancedCommand, short_help="Select rows (the default command).")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--ratio", type=float, help="Share of the rows to select, above 0 and at most 1.")
@click.option("--count", type=int, help="Number of rows to select.")
@click.option("--key", help="Array of features in an .npz file.")
@click.option("--labels", help="File of labels: .npy, .npz, or text with one a line.")
@click.option("--label-key", help="Array of labels in the .npz file (of --labels, or the input).")
@click.option(
    "--balance",
    type=click.Choice(["proportional", "equal"]),
    default="proportional",
    show_default=True,
    help="How the count is shared out among the classes.",
)
@click.option(
    "--scale",
    type=click.Choice(["auto", "none", "standard"]),
    default="auto",
    show_default=True,
    help="Scaling of the columns.",
)
@click.option(
    "--nonfinite",
    type=click.Choice(["error", "drop"]),
    default="error",
    show_default=True,
    help="What to do with rows that hold NaN or infinity.",
)
@click.option("--flatten", is_flag=True, help="Make each entry of a >2-D array a row.")
@run_options
@advanced_options
def select(
    inputs: tuple[str, ...],
    key: str | None,
    labels: str | None,
    label_key: str | None,
    flatten: bool,
    watts_per_core: float,
    output: str | None,
    report: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    r"""Select rows of INPUT whose distribution equals the whole one's.

    INPUT is a .npy or .npz file, - for a .npy on standard input, several files, or a folder of
    them (shards of one matrix). Indices are written in ascending order.

    \b
    fast-select features.npy --ratio 0.1
    fast-select data.npz --key x --label-key y --count 1000 -o rows.csv
    fast-select shards/ --ratio 0.05 --labels labels.txt --quiet -o -
    """  # fmt: skip
    from .. import io
    from .._errors import InvalidInputError
    from ..energy import Meter
    from ._run import Targets, select_and_write

    if (parameters["ratio"] is None) == (parameters["count"] is None):
        both = "both given" if parameters["ratio"] is not None else "both missing"
        raise InvalidInputError("--ratio and --count", both, "Give one of them")
    meter = Meter(watts_per_core)
    meter.begin("read")
    features = io.read_features(inputs, key=key, flatten=flatten)
    targets = Targets.of(features.stem, output, report, as_json=as_json, force=force)
    y = None
    if labels is not None:
        y = io.read_labels(Path(labels), key=label_key)
    elif label_key is not None:
        if len(features.files) != 1 or features.files[0].suffix != ".npz":
            raise InvalidInputError("--label-key", "needs one .npz file as input", "Use --labels")
        y = io.read_labels(features.files[0], key=label_key)
    given = {k: v for k, v in parameters.items() if k not in ADVANCED or v is not None}
    select_and_write(features, y, targets, meter, quiet=quiet, as_json=as_json, **given)
