"""CSV as features: the line of what is odd, and cells that keep a column out."""

import json

import numpy as np
import pytest

from fast_select import InvalidInputError
from fast_select.io import read_features


def read(*paths, **options):
    return read_features(list(map(str, paths)), key=None, flatten=False, **options)


@pytest.fixture
def write(tmp_path):
    """Write a CSV of these lines."""

    def write(text, name="t.csv"):
        (tmp_path / name).write_bytes(text.encode())
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    "text,line,width,first",
    [
        ("a,b\n1,2\n3\n", 3, 1, 2),
        ("a,b\n1,2\n3,4,5\n", 3, 3, 2),
        ("a,b\n1,2\n3,4,\n", 3, 3, 2),
        ("a,b\r\n1,2\r\n\r\n3\r\n", 4, 1, 2),
        ('a,b\n1,"x\ny\n"\n"z",3,4\n', 5, 3, 2),
        ("1,2\n3,4\n5,6,7\n", 3, 3, 2),
        ("a;b\n1;2\n3;4;5\n", 3, 3, 2),
        ("a\tb\tc\n1\t2\t3\n3\t4\n", 3, 2, 3),
        ("a,b\n" + "1,2\n" * 99_999 + "3\n", 100_001, 1, 2),
    ],
)
def test_the_line_with_other_columns_is_told(write, text, line, width, first):
    fact = rf"t\.csv: line {line} has another number of columns \({width}\) than line 1 \({first}\)"
    with pytest.raises(InvalidInputError, match=fact) as caught:
        read(write(text))
    assert "damaged" not in str(caught.value)


def test_the_line_that_is_no_utf8_is_told(write, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 50_000 + b"3,\xff\n")
    with pytest.raises(InvalidInputError, match=r"t\.csv: line 50002 is no UTF-8\. Save it"):
        read(path)


NUMBERS = "".join(f"{i},{i / 2},{i * 3}\n" for i in range(30))


@pytest.mark.parametrize(
    "text,note",
    [
        ("a,b,c\n" + NUMBERS + "1,oops,2\n" + NUMBERS, "'b' (line 32 holds 'oops')"),
        ("a,b,c\n" + NUMBERS + "1,oops,2\n1,again,3\n", "'b' (line 32 holds 'oops')"),
        ("a,b,c\n1,-,2\n" + NUMBERS, "'b' (line 2 holds '-')"),
        ("a,b,c\n" + NUMBERS + "1,'2,2\n", "'b' (line 32 holds ''2')"),
        ("a,b,c\n" + NUMBERS + '1,"1,5",2\n', "'b' (line 32 holds '1,5')"),
        ("a,b,c\n" + NUMBERS + "1,007,2\n", "'b' (line 32 holds '007')"),
        ("a,b,c\n" + NUMBERS + "1,True,2\n", "'b' (line 32 holds 'True')"),
        ("a,b,c\r\n" + NUMBERS + '1,"x\r\ny",2\r\n', r"'b' (line 32 holds 'x\r\ny')"),
        ("a,b,c\n" + NUMBERS + "1,x,y\n", "'b' (line 32 holds 'x'), 'c' (line 32 holds 'y')"),
        ("a,b,c\n" + NUMBERS * 30_000 + "1,x,2\n", "'b' (line 900002 holds 'x')"),
    ],
    ids=range(10),
)
def test_columns_that_a_cell_keeps_out_are_told(write, text, note):
    features = read(write(text))
    begins = "Columns are" if note.count("'") > 4 + note.count("''") else "A column is"
    assert features.notes == (f"{begins} left out for a cell that is no number: {note}.",)
    assert "b" not in features.columns


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c\n" + NUMBERS,
        "a,b,c\n" + NUMBERS + "1,NA,\n",
        "a,b,word\n" + "".join(f"{i},{i},w{i}\n" for i in range(30)),
        "a,b,cabin\n" + "".join(f"{i},{i},{i if i % 9 == 0 else 'C'}\n" for i in range(30)),
        "a,b,flag\n1,2,True\n3,4,False\n",
        "a,b,id\n" + NUMBERS + "1,2,x\n",
        "a,b,label\n" + NUMBERS + "1,2,x\n",
        ",a,b\n" + NUMBERS + "x,2,3\n",
    ],
)
def test_columns_of_words_are_no_matter(write, text):
    assert read(write(text)).notes == ()


def test_columns_of_other_use_or_not_asked_for_are_no_matter(write):
    path = write("a,b,c\n" + NUMBERS + "1,oops,2\n")
    assert read(path, columns="a,c").notes == ()
    assert read(path, id_key=None, aside=["b"]).notes == ()
    assert read(path, aside=["2"]).notes == ()


def test_the_part_is_told(write):
    one, two = write("a,b\n1,2\n3,4\n", "p1.csv"), write("a,b\n1,x\n3,y\n", "p2.csv")
    [note] = read(one, two).notes
    assert note.endswith(f"no number: 'b' (line 2 of {two} holds 'x').")
    assert read(write("a,b\n1,z\n3,w\n", "p1.csv"), two).notes == ()


def test_many_columns_are_told_in_short(write):
    names = ",".join(f"c{i}" for i in range(9))
    lines = ["1" + ",2" * 8] * 5 + ["1" + ",x" * 8]
    [note] = read(write("\n".join([names, *lines]))).notes
    assert note.startswith("Columns are left out")
    assert note.endswith("'c5' (line 7 holds 'x') and 3 more.")


def test_notes_are_on_stderr_and_in_the_report(write, call):
    rows = "".join(f"{i},{i * i % 7},{i}\n" for i in range(60))
    path = write("a,b,c\n" + rows + "1,\x1b[2J,2\n")
    got = call(path, "--count", 5, "--random", 1, "--report", "r.json", "-o", "s.npy")
    assert got.returncode == 0, got.stderr
    note = r"A column is left out for a cell that is no number: 'b' (line 62 holds '\x1b[2J')."
    assert note in " ".join(got.stderr.decode().split())
    report = json.loads((call.folder / "r.json").read_text())
    assert note in report["selection"]["notes"]
    assert report["input"]["columns"] == ["a", "c"]
    judged = call("evaluate", path, "s.npy", "--random", 1, "--json")
    assert note in json.loads(judged.stdout)["selection"]["notes"]
    assert np.load(call.folder / "s.npy").size == 5
