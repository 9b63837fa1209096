"""From what a selection is asked by, in words, to files: for `select`, and for `merge` after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._errors import InvalidInputError

if TYPE_CHECKING:
    from ._commit import Outcome


def check_asked(options: dict[str, Any], ratios: Sequence[float]) -> dict[str, Any]:
    """The options, with the rows of each class read; refused where they ask for no one size."""
    from .._checks import checked
    from ._inputs import read_balance

    options = read_balance(options)
    for ratio in ratios or (None,):
        checked("select", {**options, "ratio": ratio}).check_size()
    if len(set(ratios)) < len(ratios):
        raise InvalidInputError("--ratio", "is given twice with the same value", "Leave one out")
    return options


def select_in_words(
    outcome: Outcome,
    named: dict[str, Any],
    options: dict[str, Any],
    ratios: Sequence[float],
    *,
    output: str | None,
    report: str | None,
    subset: str | None,
    assign: str | None,
    scratch: str | None,
    checkpoint: str | None,
    cluster: str | None,
    instruction_set: str | None,
    html: str | None,
    force: bool,
    quiet: bool,
    progress_kind: str,
    as_json: bool,
) -> None:
    """Select, and write: `named` says what from, `options` and `ratios` what, the others where."""
    from .._checkpoint import Checkpoint
    from .._instruction_set import pin_instruction_set
    from .._scratch import Scratch
    from ..energy import Meter
    from ._cluster import crew_on
    from ._inputs import balance_file, read_arrays, read_matrix
    from ._options import file_names
    from ._run import files_of, places, select_and_write
    from ._sources import Sources, check_outside
    from ._targets import default_stem, page_target

    pin_instruction_set(instruction_set)
    balance = balance_file(options)
    options = check_asked(options, ratios)
    stem = default_stem(named["inputs"])
    page = None if html is None else page_target(html, "--html", force=force)
    targets = places(
        stem, output, report, assign, subset,
        page=page, ratios=ratios, as_json=as_json, force=force,
    )  # fmt: skip
    if checkpoint is not None:
        check_outside(checkpoint, files_of(targets, page))
    meter = Meter(options.get("watts_per_core"))
    meter.begin("read" if cluster is None else "cluster")
    room = Scratch.of(scratch)
    with crew_on(cluster, named, checkpoint, room, instruction_set, options) as (crew, here):
        meter.begin("read")
        sources = Sources([*file_names(here), balance])
        features, matrix = read_matrix(here, options.get("max_memory"), room).lent()
        options |= read_arrays(here, features) | {"scratch": room}
        if crew is not None:
            options |= {"client": crew.reads(features, flatten=here.get("flatten", False))}
            checkpoint = str(crew.folder)
        if checkpoint is not None:
            options["checkpoint"] = Checkpoint(checkpoint, files=features.files)
        select_and_write(
            features, matrix, named, targets, meter, sources, outcome,
            page=page, balance_file=balance, ratios=ratios, quiet=quiet,
            progress_kind=progress_kind, as_json=as_json, **options,
        )  # fmt: skip
