"""``python -m fast_select``."""

from .cli import run

run()
