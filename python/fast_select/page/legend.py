"""What a picture shows, in the page's own text: titles and keys wrap and can be read aloud."""

from __future__ import annotations

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
