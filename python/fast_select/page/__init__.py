"""Reports as pages: one file of HTML that needs no network and no script.

`told` checks what a report has. `plot` is the canvas; `verdict_picture`, `distribution_pictures`,
`row_pictures` and `run_pictures` draw on it, by what `series` and `legend` have in common. `words`,
`comparison` (of several reports), `command` and `contact` (`images` of rows) are the parts without
pictures. `markup` has the pieces that `document` puts together, with `style.css` in `page.html`.
"""

from __future__ import annotations

from .command import command
from .comparison import comparison
from .document import document, fragment
from .plot import check_matplotlib
from .told import Told

__all__ = ["Told", "check_matplotlib", "command", "comparison", "document", "fragment"]
