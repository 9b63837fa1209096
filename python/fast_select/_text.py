"""Numbers, nouns and the user's own words as they are shown to people."""

from __future__ import annotations

import unicodedata

LARGE = 1e5
"""From here on figures are shown as powers of ten."""
UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Kinds of characters that a terminal obeys, or does not show."""
LONGEST = 40
"""Characters of a label that are shown."""


def counted(n: int, one: str, many: str = "") -> str:
    """A number and the noun that goes with it.

    >>> counted(1, "thread"), counted(2, "thread"), counted(0, "class", "classes")
    ('1 thread', '2 threads', '0 classes')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


def figure(value: float, decimals: int = 4) -> str:
    """A number with so many decimals, or as a power of ten where these would hide it.

    >>> figure(0.25), figure(0.0), figure(-0.0000421), figure(2.5e9), figure(0.004, 2)
    ('0.2500', '0', '-4.2e-05', '2.5e+09', '0.004')
    """
    size = abs(value)
    if size == 0:
        return "0"
    if size >= LARGE:
        return f"{value:.4g}"
    if size >= 10 ** (1 - decimals):
        return f"{value:.{decimals}f}"
    return f"{value:.2g}"


def visible(text: str) -> str:
    r"""Text in which what a terminal would obey or hide is escaped: colours, line ends, direction.

    >>> print(visible("a [red] label" + chr(27) + chr(0x202E)))
    a [red] label\x1b\u202e
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def shortened(text: str) -> str:
    """The beginning of a text that is long, made visible."""
    return visible(text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}...")


def _visible(character: str) -> str:
    if unicodedata.category(character) not in UNSEEN:
        return character
    code = ord(character)
    if code < 0x100:
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
