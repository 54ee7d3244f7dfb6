"""Bring what a page made together with what stands in the store, and say what changed (promise 4).

stands nothing          insert                          new (or withdrawn)
stands the same rev.    it stands; reactions may move   as it was handed on before (or refreshed)
stands an older one     keep that, put this in place    changed, same, back or withdrawn
stands a newer one      this is stale: dropped
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Appeal, Change, Handed, Secrets, Signals, as_read, essence
from normalizer.document import encoded
from normalizer.store import AppealStore, Standing

#: How often other workers may be quicker before this page gives up and is run again.
TRIES = 20


class Made(NamedTuple):
    """One item of the page, normalized."""

    raw: RawAppeal
    appeal: Appeal
    secrets: Secrets
    document: bytes = b""  #: as it is stored, if it was serialised already


def linked(made: Made, **links: object) -> Made:
    """Write into an appeal which earlier ones of its author say the same, or in which event it is."""
    appeal = msgspec.structs.replace(made.appeal, links=msgspec.structs.replace(made.appeal.links, **links))
    return made._replace(appeal=appeal, document=b"")


async def settle(made: Sequence[Made], store: AppealStore) -> list[Handed]:
    """Store appeals and hand them on in the order of the page."""
    handed: dict[int, Handed] = {}
    fresh: list[int] = []
    waiting: list[int] = []
    for at, one in enumerate(made):
        (fresh if one.raw.revision == 1 and not one.raw.refreshed else waiting).append(at)
    fresh, again = _first_of_each(fresh, made)
    stood = await store.insert([_document(made[at]) for at in fresh])
    for at in fresh:
        if made[at].appeal.id in stood:
            waiting.append(at)
        else:
            handed[at] = _handed(made[at], made[at].appeal, Change.NEW)
    waiting = sorted({*waiting, *again})
    for _ in range(TRIES):
        if not waiting:
            break
        waiting = await _settle_known(waiting, made, store, handed)
    return [handed[at] for at in sorted(handed)]


def _first_of_each(places: list[int], made: Sequence[Made]) -> tuple[list[int], list[int]]:
    """Part the first mention of each id from its repeats on the same page."""
    seen: set[str] = set()
    first: list[int] = []
    again: list[int] = []
    for at in places:
        (again if made[at].appeal.id in seen else first).append(at)
        seen.add(made[at].appeal.id)
    return first, again


async def _settle_known(
    waiting: list[int], made: Sequence[Made], store: AppealStore, handed: dict[int, Handed]
) -> list[int]:
    """Settle one mention of each id against what stands; return what must be looked at once more."""
    now, later = _first_of_each(waiting, made)
    standing = await store.standing([made[at].appeal.id for at in now])
    absent = [at for at in now if made[at].appeal.id not in standing]
    stood = await store.insert([_document(made[at]) for at in absent])
    for at in absent:
        if made[at].appeal.id in stood:
            later.append(at)
        else:
            handed[at] = _handed(made[at], made[at].appeal, Change.NEW)
    older, equal = _by_revision([at for at in now if made[at].appeal.id in standing], made, standing)
    newer = {at: succeeding(standing[made[at].appeal.id].appeal, made[at]) for at in older}
    changes = [(standing[one.appeal.id], _document(one)) for one in newer.values()]
    if await store.supersede(changes):
        for at, one in newer.items():
            handed[at] = _handed(one, one.appeal, change_between(standing[one.appeal.id], one.appeal))
    else:
        later += older  # somebody was quicker: read again what stands now
    await _repeat(equal, made, standing, store, handed)
    return sorted(later)


def succeeding(old: Appeal, one: Made) -> Made:
    """Let a newer revision keep of the older one what a change of words does not undo."""
    return _still_secret(old, _remembering(old, one))


def _still_secret(old: Appeal, one: Made) -> Made:
    """What was once said in confidence (举报、保密件) stays so: no later revision may say who said it, and where."""
    if one.appeal.citizen.confidential or not old.citizen.confidential:
        return one
    secret = msgspec.structs.replace(one.appeal.citizen, confidential=True, display=None)
    return one._replace(appeal=msgspec.structs.replace(one.appeal, citizen=secret), document=b"")


def _by_revision(places: list[int], made: Sequence[Made], standing: dict[str, Standing]) -> tuple[list[int], list[int]]:
    """Part those over an older revision from those that stand already; what is stale is in neither."""
    older = [at for at in places if standing[made[at].appeal.id].appeal.revision < made[at].appeal.revision]
    equal = [at for at in places if standing[made[at].appeal.id].appeal.revision == made[at].appeal.revision]
    return older, equal


async def _repeat(
    equal: list[int],
    made: Sequence[Made],
    standing: dict[str, Standing],
    store: AppealStore,
    handed: dict[int, Handed],
) -> None:
    """Hand on what stands already as it was handed on before; only public reactions move in place."""
    refreshed = [at for at in equal if made[at].raw.refreshed]
    moved: list[Appeal] = []
    for at in refreshed:
        new, old = made[at].appeal, standing[made[at].appeal.id].appeal
        now = msgspec.structs.replace(
            old,
            engagement=new.engagement,
            official_reply=new.official_reply,
            signals=_handed_around(old.signals, new.signals, old.signals),
        )
        if now != old:
            moved.append(now)
        handed[at] = _handed(made[at], now, Change.REFRESHED)
    await store.refresh(moved)
    repeated = [at for at in equal if not made[at].raw.refreshed]
    before = await store.superseded([made[at].appeal.id for at in repeated if made[at].appeal.revision > 1])
    for at in repeated:
        stands = standing[made[at].appeal.id]
        superseded = before.get(stands.appeal.id)
        change = Change.NEW if superseded is None else change_between(superseded, stands.appeal)
        handed[at] = _handed(made[at], stands.appeal, change)


def _remembering(old: Appeal, one: Made) -> Made:
    """A newer revision still says to whom the source had given it before, and in which event it is."""
    signals = _handed_around(old.signals, one.appeal.signals, one.appeal.signals)
    event = one.appeal.links.same_event or old.links.same_event
    links = msgspec.structs.replace(one.appeal.links, same_event=event)
    if signals == one.appeal.signals and links == one.appeal.links:
        return one
    return one._replace(appeal=msgspec.structs.replace(one.appeal, signals=signals, links=links), document=b"")


def _handed_around(old: Signals, new: Signals, base: Signals) -> Signals:
    """Keep to whom the source has given it (承办单位): what was returned and given to another says who was first."""
    before = old.handled_before
    if old.handler is not None and old.handler not in {new.handler, *before}:
        before = [*before, old.handler]
    return msgspec.structs.replace(base, handler=new.handler, handled_before=before, sent_back=new.sent_back)


def change_between(old: Standing, new: Appeal) -> Change:
    """Say whether the masked appeal is another one; what comes back after a withdrawal never is nothing."""
    if old.withdrawn:
        return Change.BACK if as_read(old.appeal) == as_read(new) else Change.CHANGED
    if essence(old.appeal) == essence(new):
        return Change.SAME
    return Change.REREAD if as_read(old.appeal) == as_read(new) else Change.CHANGED


def _document(one: Made) -> bytes:
    return one.document or encoded(one.appeal, withdrawn=one.raw.withdrawn)


def _handed(one: Made, appeal: Appeal, change: Change) -> Handed:
    """Hand on; that an item was taken back stands above every other change."""
    return Handed(appeal=appeal, mode=one.raw.mode, change=Change.WITHDRAWN if one.raw.withdrawn else change)
