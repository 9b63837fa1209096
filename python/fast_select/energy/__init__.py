"""Time, energy and memory of a run, stage by stage.

Energy comes from the processor's RAPL counters where the system lets them be read (Linux powercap,
Intel and AMD). Elsewhere it is estimated as CPU seconds times watts per core, and says so.

=============  =====================================================================
``zones``      which counters there are, what they count, why one cannot be read
``counters``   joules by domain, with counters that wrap around or fail
``watch``      the thread that reads them often enough
``load``       which share of the machine's busy CPU time is this process's
``figures``    the report's figures, from low to high
``meter``      all that by stage, as the report has it
``trial``      what this machine can measure: ``fast-select energy``
``advice``     what to do so that it can
=============  =====================================================================
"""

from .._memory import current_rss, peak_rss
from .counters import Rapl
from .meter import Meter, Stage
from .zones import POWERCAP

__all__ = ["POWERCAP", "Meter", "Rapl", "Stage", "current_rss", "peak_rss"]
