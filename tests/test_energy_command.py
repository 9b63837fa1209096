"""`fast-select energy`: what can be measured here, and what to do so that it can."""

import json
import re
import shlex
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from fast_select.energy import Rapl
from fast_select.energy.advice import Surroundings, obstacles
from fast_select.energy.trial import trial
from fast_select.energy.zones import zones

RANGE = 262_143_328_850
NAMES = {"intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:0:1": "dram"}
PLAIN = Surroundings("linux", "x86_64", is_virtual=False, is_container=False)


def tree(root, names=NAMES):
    """Counters at rest."""
    for name, label in names.items():
        folder = root / name
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{label}\n")
        (folder / "max_energy_range_uj").write_text(str(RANGE))
        (folder / "energy_uj").write_text("0")
    return root


@contextmanager
def counting(root, watts):
    """Have counters go on at so many watts, by their names."""
    ended = threading.Event()
    begun = time.monotonic()

    def count():
        while not ended.wait(0.005):
            for name, power in watts.items():
                file = root / name / "energy_uj"
                used = round((time.monotonic() - begun) * power * 1e6)
                file.with_name("next").write_text(str(used))
                file.with_name("next").replace(file)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def denied(tmp_path, monkeypatch):
    """Counters that only another user may read, whoever runs the tests."""
    root, usual = tree(tmp_path / "powercap"), Path.read_text

    def read_text(self, *args, **named):
        if self.name == "energy_uj" and root in self.parents:
            raise PermissionError(13, "Permission denied")
        return usual(self, *args, **named)

    monkeypatch.setattr(Path, "read_text", read_text)
    return root


def test_what_is_measured_and_a_value_for_watts_per_core(tmp_path):
    root = tree(tmp_path)
    with counting(root, {"intel-rapl:0": 40.0, "intel-rapl:0:0": 30.0, "intel-rapl:0:1": 8.0}):
        got = trial(root, PLAIN, stat=tmp_path / "none", seconds=0.4)
    assert (got["source"], got["reason"], got["advice"]) == ("rapl", None, [])
    assert [zone["is_added"] for zone in got["zones"]] == [True, False, True]
    for window in (got["idle"], got["busy"]):
        assert window["seconds"] == pytest.approx(0.4, rel=0.5)
        assert window["package_watts"] == pytest.approx(40, rel=0.5)
        assert window["dram_watts"] == pytest.approx(8, rel=0.5)
    assert got["busy"]["busy_cores"] > got["idle"]["busy_cores"]
    whole = got["busy"]["package_watts"] + got["busy"]["dram_watts"]
    assert got["watts_per_core"] == pytest.approx(whole / got["busy"]["busy_cores"])
    json.dumps(got, allow_nan=False)


def test_the_command_where_energy_is_measured(tmp_path, call, monkeypatch):
    root = tree(tmp_path / "powercap", {"intel-rapl:0": "package-0"})
    monkeypatch.setenv("FAST_SELECT_POWERCAP", str(root))
    with counting(root, {"intel-rapl:0": 40.0}):
        got = call("energy")
    assert got.returncode == 0
    assert got.stderr == b""
    text = got.stdout.decode()
    assert text.startswith("Energy is measured here")
    assert "package-0" in text
    assert "DRAM is not in it: it has no counter here." in text
    [watts] = set(re.findall(r"--watts-per-core ([\d.]+)", text))
    assert 0 < float(watts) < 400
    assert list(call.folder.iterdir()) == []


@pytest.mark.parametrize("still", ["package", "dram", "both"])
def test_counters_that_stand_still_measure_nothing(still, tmp_path):
    root = tree(tmp_path)
    moving = {"intel-rapl:0": 40.0} if still == "dram" else {"intel-rapl:0:1": 8.0}
    with counting(root, {} if still == "both" else moving):
        got = trial(root, PLAIN, seconds=0.1)
    if still == "dram":
        assert got["source"] == "rapl"
        assert got["dram_reason"] == "has counters that stand still"
        assert got["busy"]["dram_watts"] is got["idle"]["dram_watts"] is None
    else:
        assert got["source"] == "estimated"
        assert got["reason"] == "the counters stand still"
        assert got["busy"] is got["watts_per_core"] is None


def test_permissions_are_told_with_the_commands_that_give_them(denied, call, monkeypatch):
    monkeypatch.setenv("FAST_SELECT_POWERCAP", str(denied))
    got = call("energy", "--json")
    assert got.returncode == 0
    told = json.loads(got.stdout)
    assert told["source"] == "estimated"
    assert told["reason"] == (
        "counters of packages cannot be read: package-0 (Permission denied)"
    )  # fmt: skip
    assert told["idle"] is told["busy"] is None
    now, group = (step["command"] for step in told["advice"])
    wanted = [str(denied / name / "energy_uj") for name in ("intel-rapl:0", "intel-rapl:0:1")]
    assert shlex.split(now) == ["sudo", "chmod", "a+r", *wanted]
    for word in ("groupadd", "usermod", "SUBSYSTEM", "chgrp", "/etc/udev/rules.d/"):
        assert word in group
    text = call("energy").stdout.decode()
    assert text.startswith("Energy is not measured here, but estimated: counters of packages")
    assert text.count("Permission denied") == 4
    assert now in text
    assert group in text


@pytest.mark.parametrize(
    "names,at,reason,command",
    [
        ({}, PLAIN, "Linux shows no counter", "sudo modprobe intel_rapl_msr"),
        ({"intel-rapl:1": "psys"}, PLAIN, "Linux shows no counter", "sudo modprobe"),
        ({}, Surroundings("linux", "x86_64", True, False), "virtual machine", ""),
        ({}, Surroundings("linux", "x86_64", True, True), "virtual machine", ""),
        ({}, Surroundings("linux", "x86_64", False, True), "the container",
         "-v /sys/devices/virtual/powercap:/powercap:ro -e FAST_SELECT_POWERCAP=/powercap"),
        ({}, Surroundings("linux", "aarch64", False, False), "of the kind aarch64", None),
        ({}, Surroundings("darwin", "arm64", False, False), "on macOS", None),
        ({}, Surroundings("win32", "amd64", False, False), "on Windows", None),
        ({}, Surroundings("freebsd14", "amd64", False, False), "on freebsd14", None),
    ],
)  # fmt: skip
def test_why_there_are_no_counters_and_what_helps(names, at, reason, command, tmp_path):
    found = zones(tree(tmp_path / "powercap", names))
    told, steps = obstacles(found, at)
    assert reason in told
    assert len(steps) == (command is not None)
    for step in steps:
        assert command in step.command
        assert step.what[0].isupper()
        assert bool(step.command) == bool(command)


def test_counters_that_a_container_hides_behind_links(tmp_path):
    (tmp_path / "intel-rapl:0").symlink_to(tmp_path / "masked")
    told, _ = obstacles(zones(tmp_path), Surroundings("linux", "x86_64", False, True))
    assert "container" in told


def test_in_a_container_permissions_are_the_host_s(denied):
    at = Surroundings("linux", "x86_64", False, True)
    _, steps = obstacles(zones(denied), at)
    assert all("host" in step.what for step in steps)


@pytest.mark.parametrize("text", ["x", ""])
def test_a_counter_that_is_odd_is_named_and_no_permission_advised(text, tmp_path):
    root = tree(tmp_path)
    (root / "intel-rapl:0" / "energy_uj").write_text(text)
    told, steps = obstacles(zones(root), PLAIN)
    assert told == "counters of packages cannot be read: package-0 (is no number)"
    assert steps == []


@pytest.mark.parametrize("kind", ["nothing", "a file", "a name with a colour"])
def test_a_folder_of_counters_that_is_none(kind, tmp_path, call, monkeypatch):
    root = tmp_path / "\x1b[31mred"
    if kind == "a file":
        root = tmp_path / "file"
        root.write_text("")
    if kind == "a name with a colour":
        tree(root, {"intel-rapl:0\x1b[31m": "core\x1b[31m"})
    monkeypatch.setenv("FAST_SELECT_POWERCAP", str(root))
    assert not Rapl()
    for words in ([], ["--json"]):
        got = call("energy", *words)
        assert got.returncode == 0
        assert b"estimated" in got.stdout
        assert b"\x1b" not in got.stdout


def test_the_command_here_says_which_and_agrees_with_a_report(run):
    told = json.loads(run("energy", "--json").stdout)
    assert run("demo", "--quiet").returncode == 0
    report = json.loads((run.folder / "optdigits.report.json").read_text())
    assert report["energy"]["source"] == told["source"]
    assert (told["reason"] is None) == (told["source"] == "rapl")


@pytest.mark.parametrize("words", [["extra"], ["--seconds", "2"]])
def test_what_the_command_does_not_take_is_refused(words, call):
    got = call("energy", *words)
    assert got.returncode == 2
    assert got.stderr.startswith(b"Error: ")
    assert got.stderr.count(b"\n") == 1
