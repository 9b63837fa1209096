"""The command line. Data on stdout, all else on stderr."""

from ._main import main, run

__all__ = ["main", "run"]
