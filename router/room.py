"""What the router is handed (路由室): its store, tables and clock, and the claim under which a case is delivered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from normalizer.appeal import Appeal
from router.cases.case import Case
from router.dispatch import CaseFacts, Context, Decision, Dispatch
from router.dispatching.accused import Accused
from router.dispatching.backpressure import Backpressure
from router.dispatching.decide import decide
from router.dispatching.message import message
from router.dispatching.publish_page import Message, Receipt
from router.dispatching.tables import Tables
from router.dispatching.topology import receives
from router.lesson_store import LessonStore
from router.store import CaseStore

Text = tuple[str, int]  #: the id of an appeal, or of a case of it, and the revision


class Outgoing(Protocol):
    """What the flow needs of router/dispatching/publisher.py."""

    async def publish(self, page: Sequence[Message]) -> list[Receipt]:
        """One receipt a message, in order. TryLater or CallOperator only if nothing is confirmed."""


@dataclass(kw_only=True, eq=False)
class Room:
    """What the front door hands in. Only `tables` is ever replaced: whole, between two steps, while the street runs."""

    store: CaseStore
    publisher: Outgoing
    tables: Tables  #: in force now: a release, and what is learned, put others here
    load_appeals: Callable[[Sequence[Text]], Awaitable[Mapping[Text, Appeal]]]  #: from `appeals` and `appeal_revisions`
    now: Callable[[], datetime]  #: the database's clock, aware UTC
    fence: Callable[[], int]  #: a number that no other claim has
    decide: Callable[[Appeal, Context, Tables], Decision] = decide
    message: Callable[[CaseFacts, Dispatch, Appeal, Tables], bytes] = message
    backpressure: Backpressure = field(default_factory=Backpressure)
    #: Sources that can be answered (回写), and within which time an answer must have reached them.
    answering: Mapping[str, timedelta] = field(default_factory=dict)
    lessons: LessonStore | None = None  #: the log of what upheld returns teach; None: nothing is learned
    lease: timedelta = timedelta(seconds=30)
    again_after: timedelta = timedelta(seconds=1)  #: when to look again for a broker that is away

    def moment(self) -> datetime:
        """Now, as exactly as the store keeps it."""
        now = self.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def fallback(self, appeal: Appeal) -> str | None:
        """Who answers for its place when nobody else does, and is called for a critical one in triage (promise 7).

        Where the appeal is about that unit, its superior does (promise 8).
        """
        unit = self.tables.directory.fallback(appeal.place)
        if unit is not None:
            accused = Accused(appeal, self.tables.directory)
            unit = accused.superior_of(unit) if unit in accused else unit
        return unit.code if unit is not None and receives(unit) else None


class Claim(NamedTuple):
    """For whom, and until when, a case is kept."""

    fence: int
    until: datetime | None  #: None: anybody may take it at once


def claimed(before: Case, after: Case, claim: Claim) -> Case:
    """Claim a case in the very write that gives it something to send; let go of it in the write that leaves nothing."""
    if after is before:
        return after
    if not after.unsent:
        return replace(after, fence=None, until=None)
    if not before.unsent:
        return replace(after, fence=claim.fence, until=claim.until)
    return after


def claim_of(room: Room) -> Claim:
    """Begin a claim: a new fence, and one lease from now."""
    return Claim(room.fence(), room.moment() + room.lease)
