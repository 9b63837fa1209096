"""Systems that lack what Linux has: modules and functions that are only of POSIX."""

import os
import subprocess
import sys
import textwrap

import pytest

MODULES = (
    "resource", "fcntl", "termios", "tty", "pty", "pwd", "grp", "syslog", "_posixshmem",
    "readline", "curses", "_curses",
)  # fmt: skip
"""Not on Windows; `posix` itself is what `os` is made of."""
FUNCTIONS = (
    "O_ACCMODE", "O_NOCTTY", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "WIFEXITED",
    "chown", "chroot", "confstr", "ctermid", "fchdir", "fchmod", "fchown", "fork", "forkpty",
    "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority",
    "getresuid", "getsid", "getuid", "killpg", "lchown", "mkfifo", "mknod", "nice", "openpty",
    "pathconf", "posix_fadvise", "posix_fallocate", "posix_spawn", "pread", "preadv", "pwrite",
    "register_at_fork", "sched_getaffinity", "sched_setaffinity", "sched_yield", "sendfile",
    "setpgid", "setsid", "statvfs", "sync", "sysconf", "sysconf_names", "tcgetpgrp", "ttyname",
    "uname", "wait3", "wait4",
)  # fmt: skip
SIGNALS = (
    "SIGALRM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGPIPE", "SIGKILL",
    "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGWINCH", "alarm", "setitimer", "pause",
    "pthread_sigmask", "sigwait", "siginterrupt",
)  # fmt: skip

POOR = f"""
import os, platform, signal, sys
import subprocess, tempfile, zipfile, logging.handlers, numpy, click  # have their ways without
platform.machine()
for name in {MODULES}:
    sys.modules[name] = None
for module, names in ((os, {FUNCTIONS}), (signal, {SIGNALS})):
    for name in names:
        vars(module).pop(name, None)
"""


def poor(code, folder, *args):
    """Run code where modules and functions of POSIX are missing."""
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", POOR + textwrap.dedent(code), *args],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        timeout=120,
        check=False,
    )


def test_the_package_works_without_what_is_of_posix_only(tmp_path):
    got = poor(
        """
        import pkgutil, importlib, numpy as np, fast_select
        for module in pkgutil.walk_packages(fast_select.__path__, "fast_select."):
            if module.name != "fast_select.__main__":
                importlib.import_module(module.name)
        x = np.random.default_rng(0).normal(size=(200, 4))
        found = fast_select.select(x, ratio=0.1, n_random=2, labels=np.arange(200) % 2)
        assert found.indices.size == 20
        memory = found.report["memory"]
        assert memory["peak_bytes"] is None or memory["peak_bytes"] >= memory["before_bytes"] > 0
        assert found.report["energy"]["source"] == "estimated"
        assert found.report["energy"]["own_share"] is None
        assert fast_select.verify(found.report, x, labels=np.arange(200) % 2).same
        fast_select.evaluate(x, found.indices, n_random=2)
        fast_select.plan(x, ratio=0.1)
        for value in vars(sys.modules["os"]), vars(sys.modules["signal"]):
            assert "geteuid" not in value and "SIGHUP" not in value
        """,
        tmp_path,
    )
    assert got.returncode == 0, got.stderr


COMMANDS = {
    "demo": [],
    "demo to streams": ["-o", "-", "--quiet"],
    "demo replaced": ["--force"],
    "energy": [],
    "help": [],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_work_without_what_is_of_posix_only(name, tmp_path):
    command = name.split()[0]
    words = ["--help"] if command == "help" else [command, *COMMANDS[name]]
    if name == "demo replaced":
        (tmp_path / "optdigits.selected.npy").write_text("old")
    got = poor("from fast_select.cli import run\nrun()", tmp_path, *words)
    assert got.returncode == 0, got.stderr
    assert "Traceback" not in got.stderr
    if name == "demo to streams":
        assert len(got.stdout.split()) == 382
    elif command == "demo":
        files = sorted(path.name for path in tmp_path.iterdir())
        assert files == ["optdigits.report.json", "optdigits.selected.npy"]
    else:
        assert got.stdout


def test_wrong_usage_is_told_without_what_is_of_posix_only(tmp_path):
    got = poor("from fast_select.cli import run\nrun()", tmp_path, "none.npy", "--ratio", "2")
    assert got.returncode == 2
    assert got.stderr.startswith("Error: --ratio: ")
    assert got.stderr.count("\n") == 1


def test_memory_that_nothing_tells_of_is_null(tmp_path):
    got = poor(
        """
        import pathlib, numpy as np, fast_select
        from fast_select import _memory
        from fast_select.cli._tables import resources_line
        _memory.STATUS = pathlib.Path("none")
        report = fast_select.select(np.eye(60), ratio=0.5, n_random=2).report
        for key in ("peak_bytes", "before_bytes", "above_bytes"):
            assert report["memory"][key] is None, key
        assert resources_line(report).endswith("Peak memory is not known here.")
        """,
        tmp_path,
    )
    assert got.returncode == 0, got.stderr
