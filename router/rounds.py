"""The rounds of an appeal (各轮工单): each new word after an end has a case of its own, named by the closed one.

The name of a round follows from the one before it, so that its insert is its uniqueness. The closed case names it
first: who dies in between leaves a name without a case, and whoever runs the page again begins it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from router.cases.case import Case
from router.store import CaseStore

Row = TypeVar("Row")


async def newest(appeals: Collection[str], store: CaseStore) -> dict[str, Case]:
    """Give the newest case of each of these appeals, by the appeal's id: one read, where none has more than one."""
    return {appeal: chain[-1] for appeal, chain in (await rounds(appeals, store)).items()}


async def every(appeals: Collection[str], store: CaseStore) -> list[Case]:
    """Give all cases of these appeals, those of before too."""
    return [case for chain in (await rounds(appeals, store)).values() for case in chain]


async def rounds(appeals: Collection[str], store: CaseStore) -> dict[str, list[Case]]:
    """Give the cases of each of these appeals, the first of them first."""
    first = await store.load(list(appeals))
    return await followed(first, lambda ids: store.load(list(ids)), lambda case: case.continued or None)


async def followed(
    first: Mapping[str, Row],
    load: Callable[[Collection[str]], Awaitable[Mapping[str, Row]]],
    next_of: Callable[[Row], str | None],
) -> dict[str, list[Row]]:
    """Go from case to case as each names the one after it; what is named and not there (yet) ends it."""
    chains = {appeal: [case] for appeal, case in first.items()}
    asked = {name: chain for chain in chains.values() if (name := next_of(chain[-1])) is not None}
    while asked:
        found = await load(asked)
        for name, case in found.items():
            asked[name].append(case)
        asked = {name: asked[id_] for id_, case in found.items() if (name := next_of(case)) is not None}
    return chains
