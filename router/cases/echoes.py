"""Who said the same again (重复、复发): when the author of a case had said it before, and when they came back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple


class Echo(NamedTuple):
    """What one case has to do with its author's others about the same."""

    before: datetime | None = None
    again: tuple[datetime, ...] = ()


def echoes(repeats: Mapping[str, Sequence[str]], said: Mapping[str, datetime]) -> dict[str, Echo]:
    """Put together who repeats whom; whose moment is not known any more (destroyed) says nothing."""
    before: dict[str, datetime] = {}
    again: dict[str, list[datetime]] = {}
    for case, earlier in repeats.items():
        known = [said[each] for each in earlier if each in said]
        if known and case in said:
            before[case] = max(known)
            for each in earlier:
                again.setdefault(each, []).append(said[case])
    return {case: Echo(before.get(case), tuple(sorted(again.get(case, ())))) for case in {*before, *again}}
