"""Options of the commands, made from the core's table, and a help page with an Advanced section."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click

from .. import _core
from .._errors import FastSelectError, InvalidInputError
from .._instruction_set import NAMES
from .._suffixes import LIST_SUFFIXES
from ._explain import rename
from ._progress import KINDS

Command = TypeVar("Command", bound=Callable[..., Any])

LISTS = ", ".join(LIST_SUFFIXES)
FILES = {
    "labels": f"A file ({LISTS}); one a line, or columns (--label-column).",
    "rows": f"A file ({LISTS}); text has one a line, or a column `index`; or a mask of all rows.",
}
"""What is an array in Python and a file here, by kind."""
NOTES = {
    **FILES,
    "shares": "A file has them as lines `label,count`, or as JSON {label: count}.",
    "bytes": "A size such as 2GiB.",
}
"""What help pages add for the command line, by kind."""

TYPES: dict[str, Any] = {"integer": int, "real": float}
"""Ranges are the core's to check."""


class StrictCommand(click.Command):
    """A command that refuses a value that another one after it would undo.

    Its errors name labels and groups by the flag that has them: that of a file, an array, a column.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look at the options in the order given, then parse them as ever."""
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(args=list(args))
            for param in given:
                if is_single(param) and given.count(param) > 1:
                    raise InvalidInputError(param.opts[0], "is given twice", "Give it once")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except FastSelectError as err:
            from ..io.labels import ROLES  # numpy, which help does without

            flags = {}
            for role in ROLES:
                ways = ((role.column, role.column_flag), (role.key, role.key_flag))
                known = [flag for name, flag in ways if ctx.params.get(name) is not None]
                if known and ctx.params.get(role.name) is None:
                    flags[role.name] = known[0]
            rename(err, flags)
            raise


def is_single(param: click.Parameter) -> bool:
    """Whether a parameter is an option with a value that can be given once."""
    return isinstance(param, click.Option) and not (param.is_flag or param.multiple)


class AdvancedCommand(StrictCommand):
    """A command whose help lists the advanced options apart."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the two lists."""
        usual: list[tuple[str, str]] = []
        advanced: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                (advanced if isinstance(param, AdvancedOption) else usual).append(record)
        with formatter.section("Options"):
            formatter.write_dl(usual)
        if advanced:
            with formatter.section("Advanced"):
                formatter.write_dl(advanced)


class AdvancedOption(click.Option):
    """An option that tunes a method."""


def table_options(command: str, *, several: str = "") -> Callable[[Command], Command]:
    """Add the options that the core's table has for `command`; None where not given.

    `several`: what it means that a ratio is given several times; it may be then.
    """

    def add(function: Command) -> Command:
        for entry in reversed(_core.option_table(command)):
            function = option(entry, several)(function)
        return function

    return add


def chosen_options(command: str, names: Collection[str]) -> Callable[[Command], Command]:
    """Add those options that the core's table has for `command` under `names`."""
    table = _core.option_table(command)
    return added([option(entry, "") for entry in table if entry["name"] in names])


def option(entry: dict[str, Any], several: str) -> Callable[[Command], Command]:
    """A click option from an entry of the table."""
    name, help_text = entry["name"], entry["help"]
    if entry["kind"] in NOTES:
        help_text += f" {NOTES[entry['kind']]}".replace("--label-", f"--{name.removesuffix('s')}-")
    if entry["default"] is not None and entry["kind"] != "flag":
        help_text += f" [default: {entry['default']}]"
    settings: dict[str, Any] = {"type": TYPES.get(entry["kind"], str)}
    if entry["kind"] == "choice":
        settings["type"] = click.Choice(entry["choices"])
    if entry["kind"] == "flag":
        settings = {"is_flag": True, "default": None}
    if entry["kind"] == "bytes":
        settings["callback"] = memory_size
    if entry["kind"] == "shares":
        settings["metavar"] = f"{'|'.join(entry['choices'])}|FILE"
    if name == "ratio" and several:
        settings["multiple"] = True
        name, help_text = "ratios", f"{help_text} {several}"
    kind = AdvancedOption if entry["advanced"] else click.Option
    return click.option(entry["flag"], name, cls=kind, help=help_text, **settings)


def memory_size(_ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Bytes from a number and a unit: 2GiB, 500MB, 1.5G, 1000000."""
    if value is None:
        return None
    match = re.fullmatch(r"\s*([\d.]+)\s*([kmgt]?)(i?)b?\s*", value.lower())
    try:
        number = float(match[1]) if match else 0.0
    except ValueError:
        number = 0.0
    if match is None or number <= 0:
        raise click.BadParameter(f"'{value}' is not a size such as 2GiB or 500MB", param=param)
    # As with most schedulers, a bare letter is a power of 1,024; only kB, MB ... are decimal.
    decimal = match[2] and not match[3] and value.lower().rstrip().endswith("b")
    return int(number * (1000 if decimal else 1024) ** " kmgt".index(match[2] or " "))


def added(options: list[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """Add options in the order given."""

    def add(function: Command) -> Command:
        for each in reversed(options):
            function = each(function)
        return function

    return add


feature_options = added(
    [
        click.option(
            "--key", help="Array of features in an .npz file; column of vectors in a table."
        ),
        click.option(
            "--columns",
            metavar="A,B,...",
            help="Columns of numbers in a table that are the features: names and patterns "
            "(emb_*), separated by commas. [default: all of numbers but id, label and group]",
        ),
        click.option(
            "--label-key",
            help="Array of labels in the .npz file (of --labels, or the input); column of the "
            "table.",
        ),
        click.option(
            "--label-column",
            metavar="NAME|NUMBER",
            help="Column of labels, in --labels or the table: its name, or its number from 1.",
        ),
        click.option(
            "--id-key", help="Column of the table, or array of the .npz file, that names the rows."
        ),
        click.option("--flatten", is_flag=True, help="Make each entry of a >2-D array a row."),
    ]
)
"""Options of every command that reads features."""

group_options = added(
    [
        click.option(
            "--group-key",
            help="Array of groups in the .npz file (of --groups, or the input); column of the "
            "table.",
        ),
        click.option(
            "--group-column",
            metavar="NAME|NUMBER",
            help="Column of groups, in --groups or the table: its name, or its number from 1.",
        ),
    ]
)
"""Options of every command that reads groups."""

force_option = click.option(
    "--force", is_flag=True, help="Overwrite existing files; never an input."
)

output_options = added(
    [
        click.option(
            "-o",
            "--output",
            help=f"Where to write the indices: {LISTS}, or - for one a line on stdout. "
            "[default: <input>.selected.npy here]",
        ),
        click.option(
            "--report",
            help="Where to write the report. [default: <input>.report.json here; none with -o -]",
        ),
        click.option(
            "--assign",
            help=f"Where to write, for each row, the selected row that stands for it: {LISTS}, as "
            "--weights nearest has it; -1 for a row left out.",
        ),
        click.option(
            "--html",
            metavar="FILE",
            help="Where to write the report as a page with pictures (.html), which needs nothing "
            "else; several ratios stand on it side by side. Needs matplotlib: "
            "pip install 'fast-select[report]'.",
        ),
        force_option,
    ]
)
"""Options of every command that selects and writes files."""

scratch_option = click.option(
    "--scratch",
    metavar="DIR",
    help="Folder on a disk for what would not fit into --max-memory: prepared features, and tables "
    "and .npz shards as a matrix. Its files vanish with the run; the rows are the same.",
)
"""Of every command that plans or makes a selection."""

checkpoint_option = click.option(
    "--checkpoint",
    metavar="DIR",
    help="Folder, made where there is none, that keeps what is done: the same command goes on "
    "where one before it was ended, by kill -9 too. Another ratio or seed of the same input uses "
    "its prepared features.",
)
"""Of every command that makes a selection."""

cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS|local",
    help="Have the workers of a Dask cluster do the work: a scheduler's address (tcp://host:8786) "
    "or file, or local, for workers here on --threads in all. They work in the folder "
    "--checkpoint, which all see; without it in one that --scratch has for the time. Needs dask: "
    "pip install 'fast-select[dask]'.",
)
"""Of the command that may be done by others."""

instruction_set_option = click.option(
    "--instruction-set",
    type=click.Choice(NAMES),
    cls=AdvancedOption,
    help="Instruction set to use instead of the machine's best: one that all machines have which "
    "share the work.",
)
"""Of every command that has a share in a selection."""

subset_option = click.option(
    "--subset",
    metavar="FILE",
    help="Where to write the selected rows themselves, with all their columns: .npy, .npz, or a "
    "table (.parquet, .arrow, .feather, .csv), as the input is.",
)
"""Of every command that writes a selection from files."""

progress_options = added(
    [
        click.option(
            "--quiet",
            is_flag=True,
            help="Nothing on stderr but errors, and what --progress json prints.",
        ),
        click.option(
            "--progress",
            "progress_kind",
            type=click.Choice(KINDS),
            default="auto",
            help="How a run tells how far it is. auto: bars on a terminal, else a line a stage; "
            "json: a line of JSON at the beginning and end of each stage and some between, with "
            "nothing else on stderr but errors. [default: auto]",
        ),
    ]
)
"""Options of every command that takes its time."""

screen_options = added(
    [
        progress_options,
        click.option("--json", "as_json", is_flag=True, help="Print the report on stdout."),
    ]
)
"""Options of every command that shows a report."""


def reading_names() -> set[str]:
    """The parameters that say what to read, and how."""

    @feature_options
    @group_options
    def reader() -> None:
        """Has the options, by which their names are known."""

    own = {str(param.name) for param in click.command()(reader).params}
    return {"inputs"} | own | array_names()


def array_names() -> set[str]:
    """The parameters that name files of what goes with the features."""
    table = _core.option_table("select")
    return {entry["name"] for entry in table if entry["kind"] in FILES}


def parted(parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was given: the parameters that say what to read, and how, and the others."""
    reading = reading_names()
    named = {name: value for name, value in parameters.items() if name in reading}
    others = {name: value for name, value in parameters.items() if name not in reading}
    # A flag that is not set says nothing.
    named = {name: value for name, value in given(named).items() if value is not False}
    return named, given(others)


def asked_by(parameters: dict[str, Any]) -> dict[str, Any]:
    """Those that say what to select, and from what, which are taken out of the parameters."""
    table = {entry["name"] for entry in _core.option_table("select")}
    return {name: parameters.pop(name) for name in (table | reading_names()) & parameters.keys()}


def file_names(named: dict[str, Any]) -> list[str]:
    """The files among the parameters that say what to read."""
    others = (named.get(name) for name in sorted(array_names()))
    return [*named.get("inputs", ()), *(name for name in others if name)]


def given(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that were given."""
    return {name: value for name, value in parameters.items() if value is not None}
