"""Random histories of a case: whatever departments, the centre, the broker and the clock may do, in any order."""

from __future__ import annotations

import random
from datetime import timedelta

import msgspec

from normalizer.appeal import Change, Versions
from router.cases.case import Case, sendable
from router.cases.centre import (
    Satisfied,
    Solved,
    Visit,
    close,
    decide_ask,
    open_asks,
    reassign,
    reopen,
    review,
    take_back,
    urge,
    visit,
)
from router.cases.clock import Clock, Limits
from router.cases.deciding import amend, assign, open_case
from router.cases.delivery import confirm, discard, park, retry
from router.cases.hearing import hear
from router.cases.looking import look
from router.cases.work import STEPS
from router.dispatch import Context, MessageType
from router.errors import MoveNotAllowed
from router.feedback import Suspended
from tests.router.cases.test_hearing import said
from tests.router.city import AT, appeal, decide, tables

UNITS = ("ZJJ", "CGJ", "GAJ")
VERSIONS = Versions(taxonomy="t1", directory="d1", rules="r1")
TABLES = tables()
CLOCK = Clock("P2", appeal().request_type, TABLES.deadlines, TABLES.calendar)


def history(seed: int, length: int = 25) -> tuple[Case, int]:
    """One case and how many milliseconds have passed."""
    chance = random.Random(seed)
    first = appeal(to=chance.choice(["ZJJ", "ZJJ+CGJ", "triage", "CGJ"]))
    case = open_case(first, Context().mode, decide(first, Context()), Context(), AT)
    passed = 0
    for _ in range(chance.randrange(length)):
        passed += chance.choice([0, 1, 999, 60_000, 3_600_000, 86_400_000, 400_000_000])
        try:
            case = _one(case, chance, passed)
        except MoveNotAllowed:
            continue  # the table has no such move from here
    return case, passed


def _one(case: Case, chance: random.Random, passed: int) -> Case:  # noqa: C901, PLR0911, PLR0912 - a list of moves
    at = AT + timedelta(milliseconds=passed - chance.choice([0, 0, 0, 5]))  # workers' clocks differ a little
    unit = chance.choice(UNITS)
    match chance.randrange(16):
        case 0 | 1 | 2 | 3 | 4 | 5:
            if not any(row.department == unit and row.type is MessageType.DISPATCHED for row in case.dispatches):
                return case
            kind, minute = chance.choice(list(STEPS)), passed // 60_000 - chance.randrange(200)
            told = said(case, kind, minute, f"f{passed}{kind}", unit)
            if isinstance(told, Suspended) and passed % 2:
                told = msgspec.structs.replace(told, until=(at + timedelta(hours=passed % 50)).isoformat())
            return hear(case, unit, told, at, Limits())
        case 6 | 7 | 8:
            return confirm(case, [row.id for row in sendable(case)], at)
        case 9:
            rows = sendable(case)
            return park(case, rows[0].id, "NO_ROUTE", at) if rows else case
        case 10:
            return retry(case, "王", at) if chance.random() < 0.8 else discard(case, "王", "x", at)
        case 11:
            asks = open_asks(case)
            if not asks:
                return case
            code, ask, _ = chance.choice(asks)
            return decide_ask(case, code, ask, "王", "理由", at, granted=chance.random() < 0.6)
        case 12:
            return (
                reassign(case, unit, "王", "理由", VERSIONS, at)
                if chance.random() < 0.5
                else take_back(case, "王", "理由", at)
            )
        case 13:
            return assign(case, unit, "王", "理由", VERSIONS, at)
        case 14:
            act = chance.choice([reopen, close, urge])
            if chance.random() < 0.5:
                solved: Solved = chance.choice(["yes", "no"])
                satisfied: Satisfied = chance.choice(["very", "basically", "no"])
                return visit(case, Visit(reached=True, solved=solved, satisfied=satisfied), "李", at)
            return act(case, "李", "理由", at) if chance.random() < 0.7 else review(case, "王", "好", at)
        case _:
            if chance.random() < 0.7:
                return look(case, CLOCK, at)
            later = appeal(to=unit, revision=case.revision + 1)
            change = chance.choice([Change.CHANGED, Change.WITHDRAWN])
            context = Context(holder=case.holder)
            return amend(case, later, change, at, decision=decide(later, context), context=context)
