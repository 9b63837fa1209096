"""The door to tables: pyarrow, which is optional, is loaded where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._arrays import Refuse
from .sources import Source

if TYPE_CHECKING:
    from .dataset import Dataset


def dataset_of(sources: Sequence[Source], name: str) -> Dataset:
    """The table that files are, or parts of; `name`: what several are called."""
    check_pyarrow(sources[0].refuse, "reading it")
    from .dataset import Dataset

    return Dataset(sources, name if len(sources) > 1 else sources[0].name)


def check_pyarrow(refuse: Refuse, doing: str) -> None:
    """Refuse a table where pyarrow is missing."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as err:
        fix = "Install it with pip install 'fast-select[table]'"
        raise refuse(f"{doing} needs pyarrow", fix) from err
