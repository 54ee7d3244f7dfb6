"""How often Python looks for cycles of garbage (循环引用回收).

A page makes tens of thousands of small objects and drops nearly all of them again without any cycle. By default Python
looks through the young ones some hundred times a page, and now and then through everything, the tables with their
thousands of words included: measured, a quarter of the CPU of the whole street.
"""

from __future__ import annotations

import gc

#: New objects, less those that went, after which the young ones are looked through: every few pages. At a third of it
#: a page is looked through while it is made, 4 % of `normalize`; a worker's most memory is the same, measured.
YOUNG = 150_000


def look_seldom() -> None:
    """Set aside what is loaded for good, and look through the rest every few pages."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
