"""`department.statement.v1`: once a day, what we believe a department has open (对账单). Pure.

Whoever lost a message sees it here: a case that is not in its own books, or a sequence higher than its own. It holds
ids, states and deadlines, and nothing of what a citizen wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from normalizer.appeal import Instant, instant
from router.cases.case import Case, holders
from router.cases.clock import Clock, dues_of, tracks_of
from router.cases.hearing import order_of
from router.cases.moves import Sent
from router.dispatch import Role
from router.dispatching.message import MAX_BYTES, SOURCE

TYPE = "department.statement.v1"
#: Cases that one statement lists, those that are due first; beyond it only their number is told.
MOST = 20_000
_ROOM = MAX_BYTES - 2048  #: what is left for cases beside the envelope

_ENCODER = msgspec.json.Encoder()


class StatedDeadline(msgspec.Struct, frozen=True, kw_only=True):
    """时限 that is not met yet."""

    kind: Literal["sign", "contact", "interim", "close"]
    at: Instant


class StatedCase(msgspec.Struct, frozen=True, kw_only=True):
    """在办工单 of this department, as we know it."""

    case: str
    case_no: str
    dispatch: str  #: the order that feedback names
    sequence: int  #: of the last message that its queue took: a higher one is unknown to us
    role: Role
    state: str
    deadlines: list[StatedDeadline]


class StatementData(msgspec.Struct, frozen=True, kw_only=True):
    """对账单: one part of it."""

    department: str
    day: str  #: as the city's calendar has it
    part: int  #: from 1
    parts: int
    open: int  #: cases in all parts, and those that are not listed any more
    cases: list[StatedCase]


class StatementEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope: CloudEvents 1.0 in structured mode."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: Literal["department.statement.v1"] = "department.statement.v1"
    subject: str  #: the department's code
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"
    data: StatementData


def stated(case: Case, clock: Clock | None) -> Iterator[tuple[str, StatedCase]]:
    """Give what each department that has the case to act on is told of it."""
    held = holders(case)
    for code, track in tracks_of(case).items():
        sent = [row.sequence for row in case.dispatches if row.department == code and row.state is Sent.SENT]
        if not sent:
            continue  # it has heard nothing of it yet
        dues = [] if clock is None else dues_of(code, track, clock)
        yield (
            code,
            StatedCase(
                case=case.id,
                case_no=case.case_no,
                dispatch=order_of(case, code) or "",
                sequence=max(sent),
                role=held[code],
                state=track.state.value,
                deadlines=[StatedDeadline(kind=due.kind, at=instant(due.at)) for due in dues if not due.met],
            ),
        )


def statement(department: str, day: str, at: datetime, cases: Sequence[StatedCase]) -> list[tuple[str, bytes]]:
    """Build one department's messages, with their ids; each holds as many cases as fit into 256 KiB."""
    listed = sorted(cases, key=_first_due)[:MOST]
    parts = list(_parts(listed))
    made = []
    for number, part in enumerate(parts, start=1):
        name = statement_id(department, day, number)
        data = StatementData(department=department, day=day, part=number, parts=len(parts), open=len(cases), cases=part)
        event = StatementEvent(id=name, subject=department, time=instant(at), data=data)
        made.append((name, _ENCODER.encode(event)))
    return made


def statement_id(department: str, day: str, part: int) -> str:
    """Derive the id of one part: the same however often it is made."""
    return hashlib.blake2b(f"{TYPE}\0{department}\0{day}\0{part}".encode(), digest_size=16).hexdigest()


def routing_key(department: str) -> str:
    """Address it: it is in no hurry, and not for the urgent lane."""
    return f"{department}.0000.normal"


def is_statement(body: bytes, name: str | None) -> bool:
    """Say whether a letter with this id is a statement of ours."""
    try:
        event = msgspec.json.decode(body, type=StatementEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return event.id == name == statement_id(event.subject, event.data.day, event.data.part)


def by_department(rows: Sequence[tuple[str, StatedCase]]) -> Mapping[str, list[StatedCase]]:
    """Sort what is told by whom it is told to."""
    found: dict[str, list[StatedCase]] = {}
    for code, row in rows:
        found.setdefault(code, []).append(row)
    return found


def _first_due(row: StatedCase) -> tuple[str, str]:
    return min((each.at for each in row.deadlines), default="~"), row.case


def _parts(cases: Sequence[StatedCase]) -> Iterator[list[StatedCase]]:
    part: list[StatedCase] = []
    size = 0
    for each in cases:
        more = len(_ENCODER.encode(each)) + 1
        if part and size + more > _ROOM:
            yield part
            part, size = [], 0
        part.append(each)
        size += more
    yield part
