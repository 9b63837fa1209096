"""What a picture shows, in the page's own text: titles and keys wrap and can be read aloud."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """A colour, how it is drawn (`kind`: a class of the style sheet), and what it stands for.

    ``is_name``: whether the text is the user's, of whatever direction.
    """

    colour: str
    text: str
    kind: str
    is_name: bool = False


@dataclass(frozen=True)
class Panel:
    """A picture with its title, its keys and a remark."""

    title: str
    drawing: str
    keys: Sequence[Key] = ()
    remark: str = ""


def card(panel: Panel, *, wide: bool = False) -> str:
    """The panel as HTML."""
    keys = "".join(map(_item, panel.keys))
    legend = f'<ul class="keys">{keys}</ul>' if keys else ""
    remark = f'<p class="remark">{html.escape(panel.remark)}</p>' if panel.remark else ""
    kind = "card wide" if wide else "card"
    title = html.escape(panel.title)
    return (
        f'<figure class="{kind}"><figcaption>{title}</figcaption>'
        f"{legend}{panel.drawing}{remark}</figure>"
    )


def _item(key: Key) -> str:
    text = html.escape(key.text)
    text = f"<bdi>{text}</bdi>" if key.is_name else text
    return f'<li><i class="{key.kind}" style="color:var(--{key.colour})"></i>{text}</li>'
