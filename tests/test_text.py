"""Numbers, nouns and the user's words, as they are shown."""

import pytest

from fast_select._text import counted, figure, shortened, visible


def test_nouns_follow_their_number():
    assert counted(1, "thread") == "1 thread"
    assert counted(2, "thread") == "2 threads"
    assert counted(0, "index", "indices") == "0 indices"


@pytest.mark.parametrize("value", [1e-12, 4.2e-5, 9.9e-4, 0.00101, 0.5, 37.25, 99999.0, 1e5, 3e38])
@pytest.mark.parametrize("decimals", [2, 4])
def test_a_figure_is_what_it_says_to_a_few_per_cent(value, decimals):
    for sign in (1, -1):
        shown = figure(sign * value, decimals)
        assert float(shown) == pytest.approx(sign * value, rel=0.06)
        assert len(shown) <= 11


def test_nothing_but_zero_is_shown_as_zero():
    assert figure(0.0) == "0"
    assert float(figure(5e-324)) > 0


@pytest.mark.parametrize(
    "text,shown",
    [
        ("plain [red]label[/red] with ümlaut 猫", "plain [red]label[/red] with ümlaut 猫"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines\r\tand", r"two\nlines\r\tand"),
        ("\u202egnp.x", r"\u202egnp.x"),
        ("\u2066\u2069\u200b\ufeff", r"\u2066\u2069\u200b\ufeff"),
        ("\u2028\u2029\x85\x9b", r"\u2028\u2029\x85\x9b"),
        ("\x00\x07\x08\x7f", r"\x00\x07\x08\x7f"),
        ("\udcff\U000e0041", r"\udcff\U000e0041"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_escaped(text, shown):
    assert visible(text) == shown
    assert visible(shown) == shown


def test_a_long_label_is_shortened():
    assert shortened("a" * 20_000) == "a" * 37 + "..."
    assert shortened("a" * 40) == "a" * 40
