"""The page: sections of pictures and tables, in one file that needs nothing else."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from .._text import visible
from .comparison import comparison
from .distribution_pictures import error_panel, frequency_panel, moment_panel, ranking_panel
from .legend import Panel
from .markup import cards, escape, section
from .row_pictures import class_panel, distance_panel, map_panel
from .run_pictures import stage_panel
from .told import Told
from .verdict_picture import verdict_panel
from .words import figures, from_what, how_made, notes, took, weights_and_groups

if TYPE_CHECKING:
    from .contact import Contact


def document(
    tolds: Sequence[Told], title: str = "", contacts: Sequence[Contact | None] = ()
) -> str:
    """The page on a report, or on several side by side. `contacts`: pictures of rows of each."""
    is_one = len(tolds) == 1
    heading = title or (tolds[0].headline if is_one else f"{len(tolds)} selections side by side")
    sections = [_top(tolds, heading)]
    if not is_one:
        sections.append(section("Side by side", _comparison_table(tolds)))
    sections += _pictures(tolds)
    for told, contact in zip(tolds, contacts, strict=False):
        if contact is not None:
            sections.append(section(f"Images of rows{_of(told, tolds)}", contact.html()))
    stages = [stage_panel(told, f"stages-{k}") for k, told in enumerate(tolds)]
    in_all = [Panel("In all", took(told)) for told in tolds]
    sections.append(section("Time and energy", _columns(tolds, stages, in_all)))
    for k, told in enumerate(tolds):
        sections += _about(told, k, _of(told, tolds))
    return _template().substitute(
        title=escape(visible(heading)), style=_style(), body="\n".join(sections)
    )


def fragment(report: dict[str, Any]) -> str:
    """The top of the page, for a notebook; a table where there is nothing to draw with."""
    told = Told.of(report)
    try:
        import matplotlib.figure  # noqa: F401

        inner = _top([told], told.headline)
    except ImportError:
        inner = _words_of_top([told], told.headline) + figures(told)
    return f'<div class="fast-select"><style>\n{_style()}</style>\n{inner}</div>'


def _of(told: Told, tolds: Sequence[Told]) -> str:
    """What tells a section on one of several reports."""
    return f": {told.name}" if len(tolds) > 1 else ""


def _template() -> string.Template:
    return string.Template(_packaged("page.html"))


def _style() -> str:
    return _packaged("style.css")


def _packaged(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _top(tolds: Sequence[Told], heading: str) -> str:
    """What was selected from what, the verdict, and its picture."""
    shown = cards([verdict_panel(tolds)])
    return f'<header class="top">{_words_of_top(tolds, heading)}{shown}</header>'


def _pictures(tolds: Sequence[Told]) -> list[str]:
    """Sections on the distribution and the rows: curves of all reports in one, maps of each."""
    curves = [error_panel(tolds), frequency_panel(tolds), moment_panel(tolds)]
    distances = distance_panel(tolds)
    maps = [map_panel(told, f"map-{k}") for k, told in enumerate(tolds)]
    classes = [class_panel(told, f"classes-{k}") for k, told in enumerate(tolds)]
    if len(tolds) == 1:
        rows = cards([*maps, *classes, distances])
        return [section("Distribution", cards(curves)), section("Rows", rows)]
    return [
        section("Distribution", cards([*curves, distances])),
        section("Maps", _columns(tolds, maps)),
        section("Classes", _columns(tolds, classes)),
    ]


def _about(told: Told, place: int, name: str) -> list[str]:
    """Sections in words on one report."""
    ranked = cards([ranking_panel(told, f"ranking-{place}")])
    return [
        section(f"Notes{name}", notes(told)),
        section(f"Weights, ranks and groups{name}", ranked + weights_and_groups(told)),
        section(f"Figures{name}", figures(told)),
        section(f"How it was made{name}", how_made(told)),
        section(f"From what{name}", from_what(told)),
    ]


def _words_of_top(tolds: Sequence[Told], heading: str) -> str:
    # A number and its sign stay together.
    parts = [f"<h1>{escape(visible(heading)).replace(' %', '&nbsp;%')}</h1>"]
    if len(tolds) == 1:
        told = tolds[0]
        if heading != told.headline:
            parts.append(f"<p>{escape(told.headline)}</p>")
        parts.append(f'<p class="verdict">{_marked(told.report["verdict"])}</p>')
        parts.append(f'<p class="about">{escape(_made_by(told))}</p>')
    else:
        lines = (
            f"<li><strong><bdi>{escape(told.name)}</bdi></strong>: "
            f"{escape(told.headline)}. {_marked(told.report['verdict'])}</li>"
            for told in tolds
        )
        parts.append(f'<ol class="verdicts">{"".join(lines)}</ol>')
    return f"<div>{''.join(parts)}</div>"


def _marked(verdict: str) -> str:
    """A verdict whose first words stand out."""
    start, colon, rest = verdict.partition(":")
    if not colon:
        return escape(verdict)
    return f"<strong>{escape(start)}</strong>:{escape(rest)}"


def _made_by(told: Told) -> str:
    options, tool = told.report["options"], told.report["tool"]
    words = [f"fast-select {tool['version']}"]
    if "method" in options:
        words.append(f"method {options['method']}")
    if "seed" in options:
        words.append(f"seed {options['seed']}")
    if told.report["created"]:
        words.append(told.report["created"].replace("T", " ").partition("+")[0])
    return visible(" · ".join(words))


def _columns(tolds: Sequence[Told], *kinds: Sequence[Panel | str]) -> str:
    """Pictures of each report side by side; those of several are under their names."""
    if len(tolds) == 1:
        return cards([panel for panels in kinds for panel in panels])
    names = [f"{k + 1}: {told.name}" for k, told in enumerate(tolds)]
    return "".join(
        cards([_named(name, panel) for name, panel in zip(names, panels, strict=True)])
        for panels in kinds
    )


def _named(name: str, panel: Panel | str) -> Panel | str:
    return f"{name}: {panel}" if isinstance(panel, str) else replace(panel, title=name)


def _comparison_table(tolds: Sequence[Told]) -> str:
    names = [f"{k + 1}: {told.name}" for k, told in enumerate(tolds)]
    head = "".join(f'<th scope="col"><bdi>{escape(name)}</bdi></th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{escape(visible(quantity))}</th>'
        + "".join(f'<td data-name="{k + 1}">{escape(cell)}</td>' for k, cell in enumerate(cells))
        + "</tr>"
        for quantity, cells in comparison(tolds)
    )
    return (
        '<div class="scroll"><table class="compare"><thead><tr><td></td>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
