"""``fast-select report REPORT...``: reports as a page with pictures, or as tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._options import StrictCommand, force_option

if TYPE_CHECKING:
    from ..page import Told
    from ..page.contact import Contact
    from ._commit import Outcome


@click.command(cls=StrictCommand, short_help="Show reports: as a page with pictures, or here.")
@click.argument("reports", nargs=-1, required=True, metavar="REPORT...")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to write the page (.html): one file, which needs no network and no script; - is "
    "stdout. [default: tables and bars on stdout]",
)
@click.option("--title", help="Title of the page. [default: what was selected from what]")
@click.option(
    "--images",
    metavar="FOLDER|COLUMN",
    help="Images of the rows, which the page then shows of 24 selected rows, and of the 24 that "
    "are farthest from any, beside the selected row nearest to each: a folder of files, one a row "
    "in natural order, or a column of the input's table: paths, or bytes.",
)
@force_option
@click.pass_obj
def report(
    outcome: Outcome,
    /,
    reports: tuple[str, ...],
    output: str | None,
    title: str | None,
    images: str | None,
    force: bool,
) -> None:
    """Show what REPORT, or several side by side, tell: with -o as a page, else as tables.

    REPORT is what --report or --json has written (a list of several ratios too); - is stdin.
    Pages need matplotlib: pip install 'fast-select[report]'.

    \b
    fast-select report features.report.json -o report.html
    fast-select report x.report-0.3.json x.report-0.1.json
    fast-select report features.report.json -o report.html --images photos/
    """  # fmt: skip
    from .._errors import InvalidInputError
    from ._commit import write_all
    from ._output import check_stdout, page_writer
    from ._sources import Sources
    from ._targets import Target, page_target

    if output is None:
        for flag, value in (("--title", title), ("--images", images), ("--force", force or None)):
            if value is not None:
                fact = "has no effect without a page"
                raise InvalidInputError(flag, fact, "Name its file by -o report.html")
        check_stdout()
        _show(_read(reports))
        return
    target = page_target(output, "--output", force=force, takes_stdout=True)
    sources = Sources([*reports, images])
    sources.check_apart([target])
    tolds = _read(reports)
    contacts = [None if images is None else _contact(told, images) for told in tolds]
    write = page_writer(tolds, title or "", contacts)
    sources.check_unchanged()
    write_all([(target, write)], outcome)
    if target != Target.stdout():
        click.echo(f"Wrote the page to {target.name}", err=True)


def _read(names: Sequence[str]) -> list[Told]:
    """The reports of files, each of which may hold several."""
    from ..page import Told
    from ._recorded import read_reports

    tolds = []
    for name in names:
        parsed = read_reports(name)
        tolds += [Told.of(each, name, of_several=len(parsed) > 1) for each in parsed]
    return tolds


def _show(tolds: Sequence[Told]) -> None:
    """Print the tables, bars and the command of one report, or several beside each other."""
    from rich.text import Text

    from .._text import visible
    from ..page import command, comparison
    from ._bars import bar_lines
    from ._columns import Column, Sheet, console_on, print_sheet
    from ._tables import show

    console = console_on(sys.stdout)
    if len(tolds) > 1:
        rows = comparison(tolds)
        columns = [Column("", [name for name, _ in rows], is_words=True)]
        for k, told in enumerate(tolds):
            cells = [cells[k] for _, cells in rows]
            columns.append(Column(f"{k + 1}: {told.name}", cells, is_words=True))
        print_sheet(sys.stdout, Sheet(f"{len(tolds)} selections side by side", columns))
        for k, told in enumerate(tolds):
            console.print(Text(f"{k + 1}: {told.report['verdict']}"))
        return
    [told] = tolds
    console.print(Text(told.headline, style="bold"))
    show(told.report, [], stream=sys.stdout)
    for line in bar_lines(told.report, sys.stdout, console.width):
        console.print(Text(line))
    words = command(told)
    if words:
        console.print(Text(f"Made by: {visible(' '.join(words))}"), soft_wrap=True)


def _contact(told: Told, images: str) -> Contact:
    """Images of selected rows and of those worst covered, from a folder or a column."""
    from .._errors import InvalidInputError
    from ..page.contact import Contact, spread
    from ..page.images import Column, Folder, Images, check_pillow
    from ._recorded import found

    check_pillow()
    facts = told.report["input"]
    source: Images
    if Path(images).is_dir():
        source = Folder(Path(images), facts["shape"][0])
    else:
        named = (facts["named"] or {}).get("inputs") or facts["files"]
        if not named:
            fact = "does not tell what was selected from"
            raise InvalidInputError(told.path, fact, "Name a folder of images by --images")
        inputs = [found(name, told.path, "--images, as a folder") for name in named]
        source = Column(inputs, images, [*(Path(name).parent for name in inputs)])
    points = (told.report["map"] or {}).get("selected")
    picks = spread(points["row"], points["class"]) if points else []
    return Contact.of(told, source, picks)
