"""``fast-select evaluate FEATURES SELECTED``: how good a selection is, whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ._options import (
    StrictCommand,
    feature_options,
    file_names,
    parted,
    screen_options,
    table_options,
)


@click.command(cls=StrictCommand, short_help="Judge a selection beside random ones.")
@click.argument("features")
@click.argument("selected")
@feature_options
@table_options("evaluate")
@screen_options
def evaluate(
    features: str,
    selected: str,
    quiet: bool,
    progress_kind: str,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Judge the rows of FEATURES that SELECTED (.npy, .npz, .txt, .csv, or -) lists.

    Their distribution is compared with that of all rows, beside random selections of the same
    size, on frequencies that no selection was fitted to; with labels also beside stratified ones,
    and where the exchange would cut the rows into blocks, beside ones stratified by these.
    """  # fmt: skip
    from .. import evaluate as judge
    from .. import io
    from ._inputs import read_arrays, read_matrix
    from ._output import check_stdout, print_json
    from ._progress import StageProgress
    from ._sources import Sources
    from ._tables import show

    check_stdout()
    named, options = parted({"inputs": [features], **parameters})
    sources = Sources([*file_names(named), selected])
    data = read_matrix(named)
    options |= read_arrays(named, data)
    rows = io.read_indices(Path(selected), n=data.x.shape[0], ids=data.ids)
    with StageProgress(progress_kind, quiet=quiet) as progress:
        report = judge(data.x, rows, progress=progress, **options)
    sources.read(data.files)
    sources.check_unchanged()
    report["selection"]["notes"] += data.notes
    report["input"] = {"files": [str(path) for path in data.files], **report["input"]}
    if not quiet and progress_kind != "json" and not as_json:
        show(report, [], stages=False)
    if as_json:
        print_json(report)
    else:
        click.echo(report["verdict"])
