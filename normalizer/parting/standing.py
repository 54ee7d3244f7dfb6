"""The parts of a message in the store (一条多诉): which there are says its first part, and nothing else.

A revision may have more parts than the one before, or fewer: what its first part does not name any more is taken back,
with the same proof as if its author had taken it back. What an older run of the same revision stored stands as it is,
though a newer version would part it otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, Handed, Secrets
from normalizer.settle import Made, settle
from normalizer.store import AppealStore, Standing


async def without_unnamed(made: list[Made], store: AppealStore) -> list[Made]:
    """Leave out parts that the message's first part, as it stands in this revision or a newer one, does not name."""
    parted = sorted({one.raw.id for one in made if _is_further(one)})
    if not parted:
        return made  # nearly every page
    first = await store.standing(parted)
    return [one for one in made if not _is_further(one) or _may_be(one, first.get(one.raw.id))]


def _may_be(part: Made, first: Standing | None) -> bool:
    if first is None or first.appeal.revision < part.appeal.revision:
        return True
    return first.appeal.revision == part.appeal.revision and part.appeal.id in first.appeal.links.same_message


async def taken_back_parts(made: Sequence[Made], settled: Sequence[Handed], store: AppealStore) -> list[Handed]:
    """Take back the parts that a message has no more, and hand them on so, also when it was done before."""
    messages = _asked(made, settled)
    parts = await store.parts(sorted(messages)) if messages else {}
    if not parts:
        return []
    first = await store.standing(list(parts))
    gone: list[Made] = []
    handed: list[Handed] = []
    for message, whole in first.items():
        one = messages[message]
        for part in _unnamed(parts[message], whole):
            if part.withdrawn:
                handed.append(Handed(appeal=part.appeal, mode=one.raw.mode, change=Change.WITHDRAWN))
            elif part.appeal.revision < whole.appeal.revision:
                gone.append(_withdrawn(one, part.appeal, whole.appeal.revision))
    return handed + await settle(gone, store)


def _unnamed(parts: Sequence[Standing], whole: Standing) -> list[Standing]:
    named = [] if whole.withdrawn else whole.appeal.links.same_message
    return [part for part in parts if part.appeal.id not in named]


def _asked(made: Sequence[Made], settled: Sequence[Handed]) -> dict[str, Made]:
    """Of a first revision that was stored nothing can be left; of one that came too late its parts may be."""
    kept = {one.appeal.id for one in settled}
    late = {one.raw.id for one in made if _is_further(one) and one.raw.id not in kept}
    return {one.raw.id: one for one in made if one.raw.revision > 1 or one.raw.id in late}


def _withdrawn(one: Made, part: Appeal, revision: int) -> Made:
    raw = replace(one.raw, withdrawn=True, refreshed=False, revision=revision)
    return Made(raw, replace(part, revision=revision), Secrets())


def _is_further(one: Made) -> bool:
    return one.appeal.id != one.raw.id
