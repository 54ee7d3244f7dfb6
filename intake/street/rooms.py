"""The wiring: what each room is handed, and where one room's gate meets the next one's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NamedTuple

import aiohttp
from pymongo.errors import EncryptionError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

import connectors.flow
import connectors.keeping.store
import normalizer.flow
import router.flow
from connectors.asking.budget import Books, Budget, SharedBudget
from connectors.asking.http import fetch_for
from connectors.asking.imap import MailWay
from connectors.asking.session import addresses_of, open_session
from connectors.base import Connector, Fetch
from connectors.channels.mailbox import MailboxSettings, account_of
from connectors.flow import Batch
from connectors.registry import REGISTRY
from connectors.source import Source
from intake.house import House, keys_for
from intake.keys import Keys
from intake.ledger import anchoring
from intake.rights import retention
from intake.rights.custody import custody
from intake.rules import releases, versions
from intake.sealing import Sealer
from intake.settings import Settings
from intake.street import statements
from intake.street.answering import Answering, answer_due, spans
from intake.street.asking import CONTACT, budget_of
from intake.street.beside import Beside
from intake.street.calendars import Calendars
from intake.street.clock import Clock, Fences
from intake.street.normalizing import Begin
from intake.street.second_look import matters_of
from intake.tables import Tables
from intake.topology import prepare_queues
from normalizer.appeal import Appeal, Handed, appeal_of
from normalizer.matter.flow import second_look
from normalizer.steps.mask import Masker
from normalizer.store import AppealStore
from router import centre, desk, learning
from router.dispatch import SHANGHAI
from router.dispatching.dead_letters import Readback, consume_dead_letters
from router.dispatching.publisher import Publisher
from router.flow import RoutedPage, Text
from router.lesson_store import LessonStore
from router.listening import Ear, answer_strays, listen
from router.looking import look_at_due
from router.store import CaseStore

#: How many appeals the second look gathers at once while the street is open: what lies near them is in its memory.
COMPARED_AT_ONCE = 100


class Rooms(NamedTuple):
    """Everything the loops call."""

    connectors: connectors.flow.Room
    router: router.flow.Room
    cases: CaseStore
    sealer: Sealer
    tables: Tables
    clock: Clock
    keys: Keys
    normalize: Callable[[Batch], Awaitable[Sequence[Handed]]]
    route: Callable[[Sequence[Handed]], Awaitable[RoutedPage]]
    deliver_forgotten: Callable[[], Awaitable[int]]
    read_dead_letters: Callable[[asyncio.Event], Awaitable[object]]
    escalate: Callable[[], Awaitable[object]]
    ear: Ear
    listen: Callable[[asyncio.Event], Awaitable[object]]
    answer_strays: Callable[[], Awaitable[int]]
    look_at_due: Callable[[], Awaitable[int]]
    answer_sources: Callable[[], Awaitable[int]]
    retain: Callable[[], Awaitable[bool]]
    state: Callable[[], Awaitable[bool]]
    anchor: Callable[[], Awaitable[bool]]
    recompute: Callable[[], Awaitable[bool]]
    unsent: Callable[[], Awaitable[int]]
    second_look: Callable[[], Awaitable[int]]
    take_release: Callable[[], Awaitable[bool]]
    look_at_lessons: Callable[[], Awaitable[bool]]
    beside: Beside


@asynccontextmanager
async def open_rooms(house: House, owner: str) -> AsyncIterator[Rooms]:
    """Open every room with what it needs from outside."""
    db, settings = house.db, house.settings
    keys = await keys_for(db, settings)
    sealer = Sealer(db, keys, cipher=settings.keys.cipher)
    read = await releases.in_force(db, settings, keys.ref_key)
    await versions.keep(db, read, settings.tables)
    clock, fences = await Clock.of(db), await Fences.of(db)
    publisher, beside = Publisher(house.broker_url), _beside(settings, read, keys)
    try:
        await _make_vault_key(sealer, clock)
        wired = router.flow.Room(
            store=CaseStore(db, keys.stamper),
            publisher=publisher,
            tables=read.router,
            load_appeals=partial(_load_appeals, AppealStore(db)),
            now=clock.now,
            fence=fences.next,
            answering=spans(settings.sources),
            lessons=LessonStore(db),
        )
        await learning.look(wired)
        yield _rooms(house, read, sealer, clock=clock, keys=keys, sending=wired, beside=beside, owner=owner)
    finally:
        await beside.close()
        await publisher.close()
        await sealer.close()


def _beside(settings: Settings, read: Tables, keys: Keys) -> Beside:
    files = settings.tables
    taxonomy, places, words = (
        None if path is None else str(path) for path in (files.taxonomy, files.places, files.words)
    )
    begin = Begin(taxonomy=taxonomy, places=places, words=words, city=settings.city or None, ref_key=keys.ref_key)
    return Beside(begin, read.normalizer)


@asynccontextmanager
async def open_connectors(
    sources: Iterable[Source],
    settings: Settings,
    clock: Clock,
    books: Books | None = None,
    *,
    share: float = 1.0,
    over: Callable[[Source, Fetch], Fetch] = lambda _, fetch: fetch,
) -> AsyncIterator[list[tuple[Source, Connector]]]:
    """Open the sources' connectors over one HTTP session.

    Whoever has a database asks within the budgets that all workers share (`books`); `share` is less than one for those
    that must not hold up the live reading. `over` is laid over every way to the network: a watch, or a record.
    """
    pulled = list(sources)
    budgets = [budget_of(source, clock, books, share) for source in pulled]
    try:
        async with open_session(pulled) as session, AsyncExitStack() as stack:
            ways = [
                _way(source, settings, session, clock, budget) for source, budget in zip(pulled, budgets, strict=True)
            ]
            fetches = [await stack.enter_async_context(way) for way in ways]
            yield [
                (source, _connector(source, settings, over(source, fetch)))
                for source, fetch in zip(pulled, fetches, strict=True)
            ]
    finally:
        shared = [budget.close() for budget in budgets if isinstance(budget, SharedBudget)]
        await asyncio.gather(*shared, return_exceptions=True)


@asynccontextmanager
async def _way(
    source: Source, settings: Settings, session: aiohttp.ClientSession, clock: Clock, budget: Budget
) -> AsyncIterator[Fetch]:
    """Open the way to a source: a connection to its mailbox, or the HTTP that all others share."""
    contact = settings.contact or CONTACT
    if not isinstance(source, MailboxSettings):
        yield fetch_for(source, addresses_of(source), session, contact=contact, now=clock.now, budget=budget)
        return
    account = account_of(source, settings.environment)
    way = MailWay(source.name, account, budget=budget, contact=contact, now=clock.now)
    try:
        yield way.fetch
    finally:
        await way.close()


def _connector(source: Source, settings: Settings, fetch: Fetch) -> Connector:
    connect = REGISTRY[source.kind].open
    assert connect is not None, "a kind that is read from a file is opened by `intake import`"
    return connect(source, fetch, settings.environment)


def _rooms(
    house: House,
    read: Tables,
    sealer: Sealer,
    *,
    clock: Clock,
    keys: Keys,
    sending: router.flow.Room,
    beside: Beside,
    owner: str,
) -> Rooms:
    reading = connectors.flow.Room(
        store=connectors.keeping.store.open_store(house.db, sealer),
        now=clock.now,
        owner=owner,
        pushed=frozenset(source.name for source in house.settings.sources if source.transport == "push"),
        sources={source.name: source for source in house.settings.sources},
    )
    mapping = normalizer.flow.Room(
        tables=read.normalizer,
        ref_key=keys.ref_key,
        store=AppealStore(house.db),
        seal=sealer,
        now=clock.now,
        finish=beside.finish,
        matters=(matters := matters_of(house.db, read.normalizer)),
    )
    readback = Readback(store=sending.store, seal=sealer, now=clock.now)
    # Each text is masked for itself: a placeholder in a reply says nothing of one in another.
    ear = Ear(
        room=sending,
        seal=sealer,
        mask=lambda text: Masker().mask("feedback", text),
        automatic=house.settings.returns.automatic,
        arbiter=house.settings.arbiter or centre.ARBITER,
    )
    answering = Answering(house=house, cases=sending.store, room=sending, reading=reading.store, clock=clock)
    return Rooms(
        connectors=reading,
        router=sending,
        cases=sending.store,
        sealer=sealer,
        tables=read,
        clock=clock,
        keys=keys,
        normalize=lambda batch: normalizer.flow.normalize_page(batch.raws, mapping),
        route=lambda handed: router.flow.route_page(handed, sending),
        deliver_forgotten=partial(_deliver_forgotten, sending),
        read_dead_letters=lambda stop: consume_dead_letters(house.broker_url, readback, stop),
        escalate=partial(desk.escalate, sending),
        ear=ear,
        listen=lambda stop: listen(house.broker_url, ear, stop),
        answer_strays=partial(answer_strays, sending),
        look_at_due=partial(look_at_due, sending),
        answer_sources=partial(answer_due, answering),
        retain=partial(
            retention.once_a_day,
            house.settings.retention,
            custody(house.db, sealer, keys, clock.now),
            owner,
        ),
        state=partial(statements.once_a_day, house.db, sending, owner),
        recompute=Calendars(house.db, sending, owner).recompute,
        anchor=partial(anchoring.once_a_day, house.db, sending.store, keys.stamper, clock.now, owner),
        unsent=sending.store.lists.unsent,
        second_look=partial(second_look, matters, COMPARED_AT_ONCE),
        take_release=releases.Following(
            house.db, house.settings, read.normalizer, sending, partial(prepare_queues, house)
        ).look,
        look_at_lessons=partial(learning.look, sending),
        beside=beside,
    )


async def _make_vault_key(sealer: Sealer, clock: Clock) -> None:
    """Have the vault key made before sources ask for data keys side by side.

    Whoever loses the race for a new installation's key may look for it before the winner's write is majority-committed,
    and the driver then says that it can't encrypt: so it is asked again for a moment.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(EncryptionError), stop=stop_after_delay(10), wait=wait_fixed(0.1), reraise=True
    )
    await retrying(sealer.ready, f"strays/{clock.now().astimezone(SHANGHAI):%Y-%m}")


async def _load_appeals(store: AppealStore, texts: Sequence[Text]) -> Mapping[Text, Appeal]:
    """Load appeals of exactly these revisions; what stands is asked first, superseded ones where that is not it."""
    wanted = {(id_, revision): (appeal_of(id_), revision) for id_, revision in texts}
    standing = await store.standing(list(dict.fromkeys(id_ for id_, _ in wanted.values())))
    found = {(id_, each.appeal.revision): each.appeal for id_, each in standing.items()}
    for id_ in {id_ for id_, revision in wanted.values() if (id_, revision) not in found}:
        found |= {(id_, appeal.revision): appeal for appeal in await store.revisions(id_)}
    return {text: found[named] for text, named in wanted.items() if named in found}


async def _deliver_forgotten(room: router.flow.Room) -> int:
    page = await router.flow.deliver_forgotten(room)
    return page.sent + page.parked
