"""Pieces of a page in HTML: sections, cards, tables, lists. All text in them is escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._text import visible
from .legend import Key, Panel

if TYPE_CHECKING:
    from ..cli._columns import Sheet

escape = html.escape


def section(title: str, inner: str) -> str:
    """A part of the page under its title; nothing where it is empty."""
    return f"<section><h2>{escape(visible(title))}</h2>{inner}</section>" if inner else ""


def remark(text: str) -> str:
    """A line in small letters."""
    return f'<p class="remark">{escape(text)}</p>'


def cards(panels: Sequence[Panel | str]) -> str:
    """Pictures side by side, as far as there is room; what is left out is said below them."""
    shown = "".join(_card(panel) for panel in panels if isinstance(panel, Panel))
    absent = "".join(remark(panel) for panel in panels if isinstance(panel, str) and panel)
    return (f'<div class="cards">{shown}</div>' if shown else "") + absent


def _card(panel: Panel) -> str:
    keys = "".join(map(_item, panel.keys))
    legend = f'<ul class="keys">{keys}</ul>' if keys else ""
    below = remark(panel.remark) if panel.remark else ""
    title = f"<figcaption>{escape(panel.title)}</figcaption>"
    return f'<figure class="card">{title}{legend}{panel.drawing}{below}</figure>'


def _item(key: Key) -> str:
    text = escape(key.text)
    text = f"<bdi>{text}</bdi>" if key.is_name else text
    return f'<li><i class="{key.kind}" style="color:var(--{key.colour})"></i>{text}</li>'


def table(sheet: Sheet) -> str:
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


def paragraph(text: str) -> str:
    """A line."""
    return f"<p>{escape(visible(text))}</p>"


def bullets(lines: Sequence[str]) -> str:
    """Lines one below the other; nothing where there are none."""
    items = "".join(f"<li>{escape(visible(line))}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def shell_line(words: Sequence[str]) -> str:
    """A command to copy, which is not broken within words as long as there is room."""
    spans = " ".join(f"<span>{escape(word)}</span>" for word in words)
    return f"<pre><code>{spans}</code></pre>"


def entries(pairs: Sequence[tuple[str, Any]], kind: str = "few") -> str:
    """Names and values; those that have none are left out. `kind`: few, or many."""
    items = "".join(
        f"<div><dt>{escape(visible(str(name)))}</dt>"
        f"<dd><bdi>{escape(visible(str(value)))}</bdi></dd></div>"
        for name, value in pairs
        if value not in (None, "")
    )
    return f'<dl class="{kind}">{items}</dl>'
