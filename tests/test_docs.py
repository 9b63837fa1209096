"""What README says works as written."""

import doctest
import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fast_select

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def readme():
    return README.read_text()


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def block_with(text, words, language="sh"):
    [block] = (block for block in blocks(text, language) if words in block)
    return block


def run_script(script, folder, **environment):
    """Run lines of a shell as a user whose shell finds this environment's commands."""
    program = str(Path(sys.executable).parent)
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"PATH={program}:$PATH\n{script}"],
        cwd=folder,
        check=True,
        env=os.environ | environment,
    )


def test_set_up_commands_are_near_the_top(readme):
    first, second = blocks(readme[: readme.index("## An example")], "sh")[:2]
    assert "pip install '.[report]'" in first
    assert "fast-select demo" in first
    assert "pip install '.[test]' && pytest" in second
    assert "--features stages" in second


@pytest.mark.slow
def test_demo_command_runs_as_written_and_again(readme, tmp_path):
    [command] = re.findall(r"fast-select demo[^\n]*", blocks(readme, "sh")[0])
    program = shutil.which("fast-select", path=str(Path(sys.executable).parent))
    assert program is not None
    for _ in range(2):
        subprocess.run([program, *command.split()[1:]], cwd=tmp_path, check=True)
    assert (tmp_path / "optdigits.selected.npy").exists()


@pytest.mark.slow
def test_usage_examples_run_as_written(readme, tmp_path, rng):
    x = rng.normal(size=(2000, 5))
    np.save(tmp_path / "features.npy", x)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(2000) % 4)
    (tmp_path / "shards").mkdir()
    for part in range(2):
        np.save(tmp_path / "shards" / f"{part}.npy", x[part::2])
    (tmp_path / "parts").mkdir()
    for part in range(2):
        table = pa.table({"id": range(part, 2000, 2), "embedding": list(x[part::2])})
        pq.write_table(table, tmp_path / "parts" / f"{part}.parquet")
    (tmp_path / "labels.txt").write_text("a\nb\n" * 1000)
    (tmp_path / "gold.txt").write_text("3\n14\n")
    (tmp_path / "videos.txt").write_text("".join(f"video-{i // 20}\n" for i in range(2000)))
    (tmp_path / "counts.csv").write_text("label,count\n0,50\n1,40\n2,30\n3,0\n")
    np.save(tmp_path / "test.npy", np.arange(1000, 1100))
    run_script(block_with(readme, "fast-select evaluate"), tmp_path)
    assert len((tmp_path / "rows.txt").read_text().split()) == 20
    assert pq.read_table(tmp_path / "picked.parquet").column_names == ["id", "embedding"]
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 101


@pytest.mark.slow
def test_the_example_prints_what_is_shown(readme, tmp_path):
    command = block_with(readme[readme.index("## An example") :], "demo.html")
    [shown] = blocks(readme, "text")
    run_script(f"{command.strip()} 2> printed.txt", tmp_path)
    printed = (tmp_path / "printed.txt").read_text()
    printed = printed[printed.index("Time and energy") :]
    assert [without_numbers(line) for line in shown.splitlines()] == [
        without_numbers(line) for line in printed.splitlines()
    ]
    assert "<svg" in (tmp_path / "demo.html").read_text()
    assert (README.parent / re.search(r"!\[.*?\]\((.*?)\)", readme)[1]).is_file()


def without_numbers(line):
    """A line of which times, joules and sizes do not matter, nor how wide a column is for them."""
    return re.sub(r"[\d.]+", "0", re.sub(r"[\s━─]+", " ", line)).strip()


SBATCH = r"""#!/bin/bash
# Stands in for Slurm: runs a script for each task of its array, two at a time, or a command.
if [ "$1" = --parsable ]; then
    [[ $(cat "$2") =~ --array=([0-9]+)-([0-9]+) ]]
    first=${BASH_REMATCH[1]} last=${BASH_REMATCH[2]}
    export SLURM_ARRAY_TASK_COUNT=$((last - first + 1)) SLURM_CPUS_PER_TASK=8
    seq "$first" "$last" | xargs -P 2 -I {} env SLURM_ARRAY_TASK_ID={} bash "$2" >&2 && echo 17
else
    [ "$1 $2" = "--dependency=afterany:17 --wrap" ] && bash -c "$3"
fi
"""


@pytest.mark.slow
def test_recipes_for_clusters_run_as_written_and_select_the_same(readme, tmp_path, rng):
    x = rng.normal(size=(20_000, 5))
    np.save(tmp_path / "features.npy", x)
    (tmp_path / "shards").mkdir()
    for part in range(3):
        np.save(tmp_path / "shards" / f"{part}.npy", x[part * 7000 :][:7000])
    recipes = readme[readme.index("## On a cluster") : readme.index("## Questions")]
    run_script(block_with(recipes, "--scratch ."), tmp_path)
    expected = np.load(tmp_path / "features.selected.npy")
    run_script(block_with(recipes, "shards/ --ratio 0.05 --checkpoint"), tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)
    for made in ("rows.npy", "shards.report.json"):
        (tmp_path / made).unlink()
    shutil.rmtree(tmp_path / "work")
    (tmp_path / "shards.sh").write_text(block_with(recipes, "#SBATCH", "bash"))
    (tmp_path / "sbatch").write_text(SBATCH)
    (tmp_path / "sbatch").chmod(0o755)
    run_script(f"PATH=.:$PATH\n{block_with(recipes, 'afterany')}", tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)
    assert json.loads((tmp_path / "rows.json").read_text())["crew"]["processes"] == 5


def test_python_examples_run_as_written(readme):
    for code in blocks(readme, "python"):
        exec(compile(code, "README.md", "exec"), {})


class Rows(list):
    """What datasets and torch do with row numbers."""

    def __getitem__(self, rows):
        return [list.__getitem__(self, row) for row in rows]

    select = __getitem__


def test_indices_lead_back_as_written(readme):
    [lines] = blocks(readme, "py")
    words = Rows("abcdefghij")
    selection = fast_select.select(np.arange(20.0).reshape(10, 2), count=4, n_random=0)
    torch = SimpleNamespace(utils=SimpleNamespace(data=SimpleNamespace(Subset=Rows.__getitem__)))
    names = {"selection": selection, "torch": torch}
    names |= dict.fromkeys(("dataset", "images"), words)
    expected = [words[[i]][0] for i in selection.indices]
    for line in lines.splitlines():
        assert eval(line, names) == expected
    assert len(lines.splitlines()) == 2


def docstrings():
    """Every docstring of the package that holds an example."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in pkgutil.walk_packages(fast_select.__path__, "fast_select."):
        if module.name != "fast_select.__main__":
            yield from finder.find(importlib.import_module(module.name))
    yield from finder.find(fast_select)


@pytest.mark.parametrize(
    "example", [e for e in docstrings() if e.examples], ids=lambda example: example.name
)
def test_docstrings_run_as_written(example):
    result = doctest.DocTestRunner().run(example)
    assert result.attempted > 0
    assert result.failed == 0
