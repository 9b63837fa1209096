"""Options on which no row depends."""

IDLE = frozenset({"threads", "max_memory", "n_random", "rank", "watts_per_core", "weights"})
"""Their names; what ``max_memory`` did to the blocks is in ``block_rows``."""

IDLE_IN_BLOCKS = IDLE - {"max_memory"}
"""The same where blocks are still to be fitted."""
