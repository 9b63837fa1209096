"""What the Tab key offers, from click's classes and from a real Bash."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fast_select.cli import _completion
from fast_select.cli._main import cli

README = (Path(__file__).parents[1] / "README.md").read_text()
STARTS = {
    shell: line
    for line, shell in re.findall(r"^(.*COMPLETE=(\w+)_source.*?) +#", README, re.MULTILINE)
}
"""README's line for each shell."""
VARIABLE = "_FAST_SELECT_COMPLETE"
METHODS = ["fast", "paper", "random", "k-center", "k-means", "herding"]

LINES = {
    "e": ["energy", "evaluate", "<files>"],
    "fe": ["<files>"],
    "evaluate ": ["<files>"],
    "features.npy ": ["<files>"],
    "--vers": ["--version"],
    "--rat": ["--ratio"],
    "features.npy --bala": ["--balance"],
    "--ratio 0.1 --bala": ["--balance"],
    "features.npy --seed 1 --se": [],  # given already
    "features.npy --method ": METHODS,
    "plan features.npy --method ": METHODS,
    "features.npy --method=k": ["k-center", "k-means"],
    "features.npy --balance e": ["equal", "<files>"],
    "features.npy --labels ": ["<files>"],
    "features.npy -o ": ["<files>"],
    "features.npy --subset ": ["<files>"],
    "features.npy --key ": [],
    "features.npy --ratio ": [],
    "features.npy --max-memory ": [],
    "features.npy --progress j": ["json"],
    "evaluate features.npy --scale s": ["standard"],
    "verify ": ["<files>"],
    "verify features.report.json --group-c": ["--group-column"],
    "compare features.npy --test ": ["<files>"],
    "compare features.npy --test-label-k": ["--test-label-key"],
    "compare features.npy --models 1nn,l": ["1nn,logreg"],
    "compare features.npy --methods fast,ra": ["fast,random"],
    # Lines that no run would take.
    "selct features.npy --bala": ["--balance"],
    "features.npy --ratio x --bala": ["--balance"],
    "features.npy --seed 1 --seed 2 --bala": ["--balance"],
    "features.npy --no-such --bala": ["--balance"],
}


@pytest.fixture
def prepared(monkeypatch):
    """The group as a shell that asks has it."""
    for command in cli.commands.values():
        for param in command.params:
            monkeypatch.setattr(param, "type", param.type)
    monkeypatch.setenv(VARIABLE, "bash_complete")
    _completion.prepare(cli, VARIABLE)
    return cli


def offered(shell, group, line):
    """What is offered at the end of a line."""
    *args, incomplete = line.split(" ")
    items = shell(group, {}, "fast-select", VARIABLE).get_completions(args, incomplete)
    return ["<files>" if item.type == "file" else item.value for item in items]


@pytest.mark.parametrize("line", LINES)
def test_offers_what_may_follow(prepared, line):
    assert offered(_completion.Bash, prepared, line) == LINES[line]


@pytest.mark.parametrize("shell", [_completion.Zsh, _completion.Fish])
def test_a_value_behind_its_flag_keeps_it(prepared, shell):
    assert offered(shell, prepared, "x.npy --method=pa") == ["--method=paper"]


def test_no_first_word_offers_commands_and_files(prepared):
    first = offered(_completion.Bash, prepared, "")
    assert first == [*sorted(cli.commands), "<files>"]


def test_readme_has_a_line_for_every_shell():
    assert list(STARTS) == ["bash", "zsh", "fish"]


def test_words_that_are_no_files_are_parameters():
    known = {param.name for command in cli.commands.values() for param in command.params}
    assert known >= _completion.NO_FILES | set(_completion.LISTS)


@pytest.mark.parametrize("shell", STARTS)
def test_script_of_a_shell(run, shell):
    got = run(**{VARIABLE: f"{shell}_source"})
    assert (got.returncode, got.stderr) == (0, b"")
    assert f"{shell}_complete".encode() in got.stdout
    program = shutil.which(shell)
    if program:
        checked = subprocess.run(
            [program, "-n"], input=got.stdout, capture_output=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.parametrize("asked", ["tcsh_source", "bash", "bash_sauce", "1"])
def test_what_is_no_shell_is_refused(run, asked):
    got = run(**{VARIABLE: asked})
    assert (got.returncode, got.stdout) == (2, b"")
    assert got.stderr.decode() == (
        f"Error: {VARIABLE}: cannot be '{asked}'. "
        "Set it to bash_source, zsh_source or fish_source.\n"
    )


def test_nothing_is_said_while_typing(run):
    words = {"COMP_WORDS": "fast-select selct --count x --see", "COMP_CWORD": "4"}
    got = run(**{VARIABLE: "zsh_complete"}, **words)
    assert (got.returncode, got.stderr) == (0, b"")
    assert got.stdout.startswith(b"plain\n--seed\n")
    got = run(**{VARIABLE: "zsh_complete"}, COMP_WORDS="fast-select", COMP_CWORD="many")
    assert (got.returncode, got.stderr, got.stdout.strip()) == (0, b"", b"")


@pytest.mark.parametrize("arguments", [["--help"], ["select", "--help"], []])
def test_neither_help_nor_completions_load_numpy(arguments):
    env = {"COMP_WORDS": "fast-select d", "COMP_CWORD": "1", VARIABLE: "bash_complete"}
    got = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "fast_select", *arguments],
        env={**os.environ, **({} if arguments else env)},
        capture_output=True,
        check=True,
    )
    loaded = {line.rpartition(b"|")[2].strip().decode() for line in got.stderr.splitlines()}
    assert "fast_select.cli._main" in loaded
    assert not loaded & {"numpy", "rich", "rich.console", "pyarrow", "sklearn"}


def typed(fd, keys, until, seconds=20.0):
    """Type keys and read what the terminal shows until a pattern is there."""
    os.write(fd, keys.encode())
    shown, end = "", time.monotonic() + seconds
    while not re.search(until, shown) and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            shown += os.read(fd, 65536).decode(errors="replace")
    assert re.search(until, shown), shown
    return shown


@pytest.fixture
def bash(tmp_path):
    """A terminal with an interactive Bash that has the completions, in a folder of files."""
    program = tmp_path / "fast-select"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m fast_select "$@"\n')
    program.chmod(0o755)
    here = tmp_path / "here"
    (here / "parts").mkdir(parents=True)
    for name in ("digits.npz", "my file.npy", "labels.csv"):
        (here / name).touch()
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(here)
        os.environ |= {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ "}
        os.execlp("bash", "bash", "--norc", "-i")
    typed(fd, f"{STARTS['bash']}; echo $((2 * 21))\n", r"\n42\b")
    yield fd
    with suppress(OSError):
        os.write(fd, b"\x15exit\n")
    os.waitpid(pid, 0)
    os.close(fd)


def test_tab_in_bash(bash):
    def line(keys, until):
        typed(bash, f"\x15fast-select {keys}", until)

    line("my\t", r"my\\ file\.npy ")
    line("par\t", "parts/")
    line("ver\t", "verify ")
    line("digits.npz --bal\t", "--balance ")
    line("digits.npz --balance pr\t", "proportional ")
    line("digits.npz --method=he\t", "--method=herding ")
    line("digits.npz --labels=lab\t", r"--labels=labels\.csv ")
    line("d\t\t", r"demo +digits\.npz")
