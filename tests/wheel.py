"""Checks an installed package where there is nothing but what it needs: no Rust, no test tools.

    python tests/wheel.py

Prints what it ran on. Exits with 1 where something is wrong.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np

import fast_select
from fast_select import _core

ROWS = 2000


def command(*args, **env):
    """Run `fast-select` and return what it prints."""
    program = shutil.which("fast-select", path=Path(sys.executable).parent)
    start = [program] if program else [sys.executable, "-m", "fast_select"]
    environment = {**os.environ, "PYTHONUTF8": "1", **env}
    done = subprocess.run(
        [*start, *args], capture_output=True, text=True, encoding="utf-8", env=environment
    )
    assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stderr}"
    return done.stdout


def check_command(x):
    """Every command that needs no extra, in a folder of its own."""
    command("demo")
    assert np.load("optdigits.selected.npy").size == 382
    report = json.loads(Path("optdigits.report.json").read_text(encoding="utf-8"))
    assert report["verdict"].startswith("Better than random"), report["verdict"]
    np.save("x.npy", x)
    Path("labels.txt").write_text("a\nb\n" * (ROWS // 2))
    command(
        "x.npy", "--labels", "labels.txt", "--ratio", "0.1", "-o", "rows.csv", "--subset", "s.npy"
    )
    assert np.load("s.npy").shape == (ROWS // 10, x.shape[1])
    assert "The same rows" in command("verify", "x.report.json")
    assert json.loads(command("plan", "x.npy", "--count", "50", "--json"))
    assert json.loads(command("evaluate", "x.npy", "rows.csv", "--json", "--quiet"))
    assert "--ratio" in command("select", "--help")
    assert "fast-select" in command(_FAST_SELECT_COMPLETE="zsh_source")


def check_threads(x):
    """Python's threads that select at once, each as if it were alone."""
    seeds = [0, 1, 2, 3] * 2
    with ThreadPoolExecutor(len(seeds)) as pool:
        tasks = [pool.submit(fast_select.select, x, count=50, seed=s, n_random=2) for s in seeds]
        at_once = [task.result().indices.tolist() for task in tasks]
    alone = [fast_select.select(x, count=50, seed=s, n_random=2).indices.tolist() for s in seeds]
    assert at_once == alone


def check_without_resource(x):
    """Windows has no module `resource`."""
    code = (
        "import sys; sys.modules['resource'] = None\n"
        "import numpy as np, fast_select\n"
        "print(fast_select.select(np.load('x.npy'), count=20, n_random=2).indices.size)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "20", done.stderr


def main():
    """Run the checks and say on what."""
    x = np.random.default_rng(0).normal(size=(ROWS, 16)).astype(np.float32)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        check_command(x)
        check_threads(x)
        check_without_resource(x)
        os.chdir(Path(__file__).parent)
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    wants_gil = "free-threading" not in sys.version
    assert has_gil == wants_gil, "the package has switched the GIL on"
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "click", "rich"))
    where = Path(_core.__file__).parent
    print(
        f"passed: fast-select {fast_select.__version__} ({_core.info()['instruction_set']}) on "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        f"{'' if has_gil else ' without GIL'}, {libraries}; from {where}"
    )


if __name__ == "__main__":
    main()
