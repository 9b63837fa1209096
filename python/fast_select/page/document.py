"""The page: sections of pictures and tables, in one file that needs nothing else."""

from __future__ import annotations

import html
import string
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from .._text import counted, figure, visible
from .command import COUNTS, command
from .comparison import comparison
from .distribution_pictures import error_panel, frequency_panel, moment_panel, ranking_panel
from .legend import Panel, card
from .row_pictures import class_panel, distance_panel, map_panel
from .run_pictures import stage_panel
from .told import Told
from .verdict_picture import verdict_panel

if TYPE_CHECKING:
    from ..cli._columns import Sheet
    from .contact import Contact

escape = html.escape


def document(
    tolds: Sequence[Told], title: str = "", contacts: Sequence[Contact | None] = ()
) -> str:
    """The page on a report, or on several side by side. `contacts`: pictures of rows of each."""
    one = tolds[0] if len(tolds) == 1 else None
    heading = title or (one.headline if one else f"{len(tolds)} selections side by side")
    sections = [_top(tolds, heading)]
    if one is None:
        sections.append(_section("Side by side", _comparison_table(tolds)))
    curves = [error_panel(tolds), frequency_panel(tolds), moment_panel(tolds)]
    if one:
        panels = [map_panel(one), class_panel(one), distance_panel(tolds)]
        sections += [
            _section("Distribution", _cards(curves)),
            _section("Rows", _cards(panels)),
        ]
    else:
        maps = [map_panel(told, f"map-{k}") for k, told in _each(tolds)]
        classes = [class_panel(told, f"classes-{k}") for k, told in _each(tolds)]
        sections += [
            _section("Distribution", _cards([*curves, distance_panel(tolds)])),
            _section("Maps", _columns(tolds, maps)),
            _section("Classes", _columns(tolds, classes)),
        ]
    for told, contact in zip(tolds, contacts, strict=False):
        if contact is not None:
            name = "" if one else f": {told.name}"
            sections.append(_section(f"Pictures of rows{name}", contact.html()))
    stages = [stage_panel(told, f"stages-{k}") for k, told in _each(tolds)]
    in_all = [Panel("In all", _took(told)) for told in tolds]
    took = _cards([*stages, *in_all]) if one else _columns(tolds, stages) + _columns(tolds, in_all)
    sections.append(_section("Time and energy", took))
    sections += [_about_one(told, "" if one else f": {told.name}") for told in tolds]
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
        inner = _words_of_top([told], told.headline) + _quality_table(told)
    return f'<div class="fast-select"><style>\n{_style()}</style>\n{inner}</div>'


def _each(tolds: Sequence[Told]) -> list[tuple[int, Told]]:
    return list(enumerate(tolds))


def _template() -> string.Template:
    return string.Template(_packaged("page.html"))


def _style() -> str:
    return _packaged("style.css")


def _packaged(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _top(tolds: Sequence[Told], heading: str) -> str:
    """What was selected from what, the verdict, and its picture."""
    panel = verdict_panel(tolds)
    return f'<header class="top">{_words_of_top(tolds, heading)}{_shown(panel)}</header>'


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


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{escape(visible(title))}</h2>{inner}</section>" if inner else ""


def _shown(panel: Panel | str) -> str:
    return _remark(panel) if isinstance(panel, str) else card(panel)


def _remark(text: str) -> str:
    return f'<p class="remark">{escape(text)}</p>'


def _cards(panels: Sequence[Panel | str]) -> str:
    """Pictures side by side, as far as there is room; what is left out is said below them."""
    cards = "".join(card(panel) for panel in panels if isinstance(panel, Panel))
    absent = "".join(_remark(panel) for panel in panels if isinstance(panel, str) and panel)
    return (f'<div class="cards">{cards}</div>' if cards else "") + absent


def _columns(tolds: Sequence[Told], panels: Sequence[Panel | str]) -> str:
    """The same picture of each report, under its name."""
    named = [
        Panel(f"{k + 1}: {told.name}", panel.drawing, panel.keys, panel.remark)
        if isinstance(panel, Panel)
        else f"{k + 1}: {told.name}: {panel}"
        for (k, told), panel in zip(_each(tolds), panels, strict=True)
    ]
    return _cards(named)


def _comparison_table(tolds: Sequence[Told]) -> str:
    names = [f"{k + 1}: {told.name}" for k, told in _each(tolds)]
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


def _table(sheet: Sheet) -> str:
    """A table as the command prints it."""
    columns = sheet.columns
    head = "".join(f'<th scope="col">{escape(column.header)}</th>' for column in columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(columns[0].cells[i])}</th>'
        + "".join(f"<td>{escape(column.cells[i])}</td>" for column in columns[1:])
        + "</tr>"
        for i in range(len(columns[0].cells))
    )
    return (
        f'<h3>{escape(sheet.title)}</h3><div class="scroll"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _quality_table(told: Told) -> str:
    from ..cli._tables import quality_table

    return _table(quality_table(told.report["quality"]))


def _line(words: Sequence[str]) -> str:
    """A command to copy, which is not broken within words as long as there is room."""
    spans = " ".join(f"<span>{escape(word)}</span>" for word in words)
    return f"<pre><code>{spans}</code></pre>"


def _list(entries: Sequence[tuple[str, Any]], kind: str = "few") -> str:
    items = "".join(
        f"<div><dt>{escape(visible(str(name)))}</dt>"
        f"<dd><bdi>{escape(visible(str(value)))}</bdi></dd></div>"
        for name, value in entries
        if value not in (None, "")
    )
    return f'<dl class="{kind}">{items}</dl>'


def _took(told: Told) -> str:
    """What a run took in all, and what its joules mean."""
    report = told.report
    totals, energy, memory = report["totals"], report["energy"], report["memory"]
    low, high = energy["low_joules"], energy["high_joules"]
    entries = [
        ("wall time", f"{figure(totals['wall_s'], 2)} s"),
        ("CPU time", f"{figure(totals['cpu_s'], 2)} s"),
        ("energy", f"{figure(totals['joules'], 2)} J, {energy['source']}"),
        ("between", None if low is None or high is None
         else f"{figure(low, 2)} and {figure(high, 2)} J"),
        *((name, None if energy[key] is None else f"{figure(energy[key], 3)} J")
          for name, key in (("a selected row", "joules_per_row"),
                            ("processor packages", "package_joules"),
                            ("memory (DRAM)", "dram_joules"))),
        ("energy is of", energy["note"]),
        ("peak memory", f"{memory['peak_bytes'] / 2**20:,.0f} MiB, "
                        f"{memory['above_bytes'] / 2**20:,.0f} above the start"),
    ]  # fmt: skip
    return _list(entries)


def _about_one(told: Told, name: str) -> str:
    """Notes, figures, how the selection was made, and from what."""
    from ..cli._tables import idle_lines, input_lines, ranking_table, weight_line

    report = told.report
    selection, options = report["selection"], report["options"]
    remarks = [*input_lines(report)[1 if selection["classes"] else 0 :]]
    remarks += selection["notes"] or []
    remarks += idle_lines(selection["without_effect"] or [], options)
    notes = "".join(f"<li>{escape(visible(line))}</li>" for line in remarks)
    extra = []
    if report["weights"]:
        extra.append(f"<p>{escape(weight_line(report['weights']))}</p>")
    if selection["ranking"]:
        extra.append(_cards([ranking_panel(told)]) if not name else "")
        extra.append(_table(ranking_table(selection["ranking"])))
    if options.get("n_groups"):
        cap = options.get("max_per_group")
        limit = f", at most {counted(cap, 'row')} of each" if cap else ""
        line = f"Groups: {options['n_groups']}{limit}."
        extra.append(f"<p>{escape(visible(line))}</p>")
    words = command(told)
    made = (
        _line(words)
        if words
        else _remark(
            "The report does not say how the rows were selected: it judges rows that were given."
        )
    )
    if COUNTS in words and isinstance(options.get("balance"), dict):
        made += _remark(f"{COUNTS}: lines label,count with the rows of each class.")
    facts = report["input"]
    hashes = {f"hash of {key}": value for key, value in (facts["hashes"] or {}).items()}
    shape = facts["shape"]
    about_input = [
        ("shape", f"{shape[0]:,} rows x {shape[1]:,} columns of {facts['dtype']}"),
        ("files", ", ".join(facts["files"] or [])),
        ("columns", ", ".join(facts["columns"] or [])),
        ("SHA-256", facts["sha256"]),
        *hashes.items(),
    ]
    tool = report["tool"]
    where = [
        ("version", tool["version"]),
        ("instruction set", tool["instruction_set"]),
        ("created", report["created"]),
        *((key, value) for key, value in options.items() if not isinstance(value, dict)),
    ]
    return "\n".join(
        [
            _section(f"Notes{name}", f"<ul>{notes}</ul>" if notes else ""),
            _section(f"Weights, ranks and groups{name}", "".join(extra)),
            _section(f"Figures{name}", _quality_table(told)),
            _section(f"How it was made{name}", made + _list(where, "many")),
            _section(f"From what{name}", _list(about_input)),
        ]
    )
