"""How many heaps the C library keeps for the threads of a process (内存池).

MongoDB's driver works in threads, and glibc gives each a heap of its own, of which much is kept that nobody uses: of a
worker's memory, a tenth. Only one thread runs Python at a time, so two heaps are enough for all.
"""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8  #: M_ARENA_MAX of glibc's <malloc.h>
HEAPS = 2


def share_heaps() -> None:
    """Let all threads that come share two heaps; where the C library knows nothing of it, nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, HEAPS)
