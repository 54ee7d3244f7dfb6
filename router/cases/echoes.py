"""Who said the same again (重复、复发): when the author of a case had said it before, and when they came back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from normalizer.appeal import rounds_before


class Echo(NamedTuple):
    """What one case has to do with its author's others about the same."""

    before: datetime | None = None
    again: tuple[datetime, ...] = ()
    repeats: tuple[str, ...] = ()  #: the cases that say the same and came before


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
    return {
        case: Echo(before.get(case), tuple(sorted(again.get(case, ()))), tuple(repeats.get(case, ())))
        for case in {*repeats, *again}
    }


def of_cases(
    repeats: Mapping[str, Sequence[str]], said: Mapping[str, datetime], rounds: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Give which cases each one repeats, from which appeals say the same: an appeal has a case for each of its rounds.

    A round repeats those before it; of another appeal a case repeats the rounds that were there when it was said.
    """
    found: dict[str, list[str]] = {}
    for appeal in {*repeats, *rounds}:
        for case in (appeal, *rounds.get(appeal, ())):
            others = [
                one
                for each in repeats.get(appeal, ())
                for one in (each, *rounds.get(each, ()))
                if one == each or (case in said and said[one] < said[case])
            ]
            if own := [*others, *rounds_before(case)]:
                found[case] = own
    return found
