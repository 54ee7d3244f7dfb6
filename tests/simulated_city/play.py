"""One season played through with the real decisions, the real moves of cases and the real lessons.

The centre sees what it would see: the appeal, what departments write, and its own ledger. Only departments, and people
as far as they know the city, look into the hidden duties. Each throw of the dice belongs to a case and a step, so that
the same people make the same mistakes with learning and without.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

import msgspec

from router.cases import centre, returns
from router.cases.advice import AUTOMATIC, Advice, advise
from router.cases.case import Case
from router.cases.clock import Limits
from router.cases.deciding import assign, open_case
from router.cases.delivery import all_sent
from router.cases.hearing import hear, order_of
from router.cases.moves import Kind, State
from router.cases.teaching import precedent_of, spot_of
from router.cases.work import Ask
from router.dispatch import Context, Decision, Outcome
from router.dispatching.decide import decide
from router.dispatching.lessons import Lessons
from router.dispatching.precedents import Precedent, Settled, Spot
from router.feedback import Feedback
from tests.simulated_city import people
from tests.simulated_city.duties import INSISTS, SIGNS_FIRST
from tests.simulated_city.season import Season, Told

BEGIN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
RECENT = 30  #: cases kept by a unit that are looked up when it returns one for the first time


class Arm(StrEnum):
    """Who decides at first."""

    RULES = "rules"  #: our rules, learning off
    LESSONS = "lessons"  #: our rules and what returns have taught, and the rule of review
    ORACLE = "oracle"  #: somebody who knows the hidden duties


@dataclass(kw_only=True)
class Count:
    """What a season came to."""

    cases: int = 0
    hops: int = 0  #: dispatches to a different lead, after the first
    longest: int = 0  #: leads of one case
    upheld_of_one: int = 0  #: returns of one case that were upheld, at most
    refusals: int = 0
    wrong_refusals: int = 0
    upheld: int = 0
    wrongly_upheld: int = 0
    automatic: int = 0  #: of the decisions on returns
    automatic_wrong: int = 0
    misplaced: int = 0  #: ended with a unit whose it is not, because its right refusal was turned down twice


@dataclass
class Play:
    season: Season
    arm: Arm
    count: Count = field(default_factory=Count)
    lessons: Lessons = field(default_factory=Lessons)
    _cases: dict[int, Case] = field(default_factory=dict)
    _turned_down: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _kept: dict[Spot, deque[Precedent]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=RECENT)))
    _agenda: list[tuple[float, int, int, str]] = field(default_factory=list)
    _said: int = 0
    _tick: float = 0.0

    def __post_init__(self) -> None:
        units = self.season.tables.router.directory.units.values()
        self._codes = {unit.name: unit.code for unit in units}

    def run(self) -> Count:
        for number in range(len(self.season.cases)):
            self._later(number, 0.0, number, "arrive")
        steps: dict[str, Callable[[int, datetime], None]] = {
            "arrive": self._arrive,
            "read": self._read,
            "regret": self._refuse,
            "review": self._review,
            "assign": self._assign,
        }
        while self._agenda:
            self._tick, _, number, step = heapq.heappop(self._agenda)
            steps[step](number, BEGIN + timedelta(minutes=10 * self._tick))
        for number, case in self._cases.items():
            leads = returns.path(case)
            self.count.cases += 1
            self.count.hops += len(leads) - 1
            self.count.longest = max(self.count.longest, len(leads))
            returned = len(case.handling.returns) if case.handling else 0
            self.count.upheld_of_one = max(self.count.upheld_of_one, returned)
            self.count.misplaced += case.holder != self._owner(number)
        return self.count

    # ------------------------------------------------------------ the centre

    def _arrive(self, number: int, at: datetime) -> None:
        appeal, context = self._told(number).appeal, Context()
        self._settled(number, open_case(appeal, context.mode, self._decide(number, context), context, at), at)

    def _decide(self, number: int, context: Context) -> Decision:
        told, tables = self._told(number), self.season.tables.router
        if self.arm is Arm.LESSONS:
            tables = replace(tables, lessons=self.lessons)
        decision = decide(told.appeal, context, tables)
        owner = self._owner(number)
        if self.arm is Arm.ORACLE and decision.outcome is Outcome.DISPATCH and owner not in context.returns:
            return msgspec.structs.replace(decision, routing=msgspec.structs.replace(decision.routing, lead=owner))
        return decision

    def _review(self, number: int, at: datetime) -> None:
        case, lead = self._cases[number], self._cases[number].holder or ""
        rightly = lead != self._owner(number)
        told = self._advice(number) if self.arm is Arm.LESSONS else None
        if told is not None and told.clear:
            by, granted = AUTOMATIC, told.suggest == "uphold"
            self.count.automatic += 1
            self.count.automatic_wrong += granted != rightly
        else:
            by, granted = (
                "审核员",
                people.upholds(rightly, told.suggest if told else None, self._dice(number, "review")),
            )
        after = centre.decide_ask(case, lead, Ask.RETURN, by, "审核", at, granted=granted)
        if granted:
            self.count.upheld += 1
            self.count.wrongly_upheld += not rightly
            decision, context = returns.decided_anew(case, lead, lambda context: self._decide(number, context))
            after = returns.route_anew(after, decision, context, "裁定人", at)
        else:
            self._turned_down[number] += 1
        self._settled(number, after, at)

    def _advice(self, number: int) -> Advice:
        case, appeal, tables = self._cases[number], self._told(number).appeal, self.season.tables.router
        return advise(case, appeal, case.holder or "", tables, self._asked_about(spot_of(appeal, tables)))

    def _assign(self, number: int, at: datetime) -> None:
        case, owner = self._cases[number], self._owner(number)
        tried, dice = returns.path(case), self._dice(number, "assign")
        others = [each.department for each in case.decision.routing.alternatives] if case.decision else []
        others += self.season.near[self._told(number).matter.category]
        if returns.is_arbitrated(case):
            to = owner
        elif case.handling is not None and len(case.handling.returns) > 1:
            to = people.settles(owner, others, tried, dice)
        else:
            to = people.sends_to(owner, self._proposed(case), others, tried, dice)
        self._settled(number, assign(case, to, "值班长", "研判", self.season.tables.router.versions, at), at)

    def _settled(self, number: int, case: Case, at: datetime) -> None:
        """Send what is to be sent, learn what there is to learn, and put down who is next."""
        case = all_sent(case, at) if case.unsent else case
        self._cases[number] = case
        self._learn(number, case)
        delay = self._dice(number, "delay").uniform(1, 15)
        if case.state is State.DELIVERED:
            self._later(number, delay, number, "read")
        else:
            self._later(number, delay, number, "assign")

    # ------------------------------------------------------------ the departments

    def _read(self, number: int, at: datetime) -> None:
        case, told = self._cases[number], self._told(number)
        lead, dice = case.holder or "", self._dice(number, "read")
        refuses = self.season.duties.refuses(lead, told.matter, dice)
        if self._turned_down[number]:
            stubborn = lead != self._owner(number) or dice.random() < INSISTS
            refuses = stubborn and self._turned_down[number] < 2
        if refuses and lead != self._owner(number) and dice.random() < SIGNS_FIRST:
            self._say(number, {"kind": "accepted"}, at)
            self._later(number, dice.uniform(5, 30), number, "regret")
        elif refuses and not returns.is_arbitrated(case):
            self._refuse(number, at)
        else:
            self._turned_down[number] = 0
            self._say(number, {"kind": "accepted"}, at)

    def _refuse(self, number: int, at: datetime) -> None:
        lead, dice, told = self._cases[number].holder or "", self._dice(number, "refuse"), self._told(number)
        named = self.season.duties.proposes(lead, told.matter, self.season.near[told.matter.category], dice)
        unit = self.season.tables.router.directory.get(named or "")
        said: dict[str, Any] = {
            "kind": "return_requested",
            "code": dice.choice(["R1", "R2", "R2", "R3", "R4"]),
            "clause": "三定规定",
        }
        said |= {"evidence": "不属本单位职责", "proposed_owner": unit.name if unit else None}
        self.count.refusals += 1
        self.count.wrong_refusals += lead == self._owner(number)
        self._say(number, said, at)
        self._later(number, dice.uniform(1, 5), number, "review")

    def _say(self, number: int, fields: dict[str, Any], at: datetime) -> None:
        case, lead = self._cases[number], self._cases[number].holder or ""
        self._said += 1
        named = {"id": f"f{self._said}", "dispatch": order_of(case, lead), "case": case.id, "at": at.isoformat()}
        said: Feedback = msgspec.convert(fields | named | {"handler": "办公室"}, Feedback)
        case = hear(case, lead, said, at, Limits())
        self._cases[number] = all_sent(case, at)
        self._learn(number, self._cases[number])

    # ------------------------------------------------------------ learning

    def _learn(self, number: int, case: Case) -> None:
        if self.arm is not Arm.LESSONS:
            return
        found = precedent_of(case, self._told(number).appeal, self.season.tables.router)
        if found is None:
            return
        spot = (found.rule, found.sent_to)
        if self.lessons.is_news(found, self._told(number).appeal):
            lessons = self._asked_about(spot)
            self.lessons = lessons.learn(Settled(lessons.version + 1, found))
        elif found.owner is not None:
            self._kept[spot].append(found)

    def _asked_about(self, spot: Spot | None) -> Lessons:
        """Look up what was kept there, where nothing was returned before."""
        lessons = self.lessons
        if spot is not None and not lessons.knows(spot):
            for one in self._kept[spot]:
                lessons = lessons.learn(Settled(lessons.version + 1, one))
        return lessons

    # ------------------------------------------------------------ the dice

    def _told(self, number: int) -> Told:
        return self.season.cases[number]

    def _owner(self, number: int) -> str:
        return self.season.duties.owner(self._told(number).matter)

    def _dice(self, number: int, what: str) -> Random:
        case = self._cases.get(number)
        done = (len(returns.path(case)), len(case.handling.returns) if case.handling else 0) if case else (0, 0)
        return Random(f"{self.season.seed}/{number}/{what}/{done}/{self._turned_down[number]}")

    def _later(self, number: int, delay: float, case: int, step: str) -> None:
        self._said += 1
        tick = float(number) if step == "arrive" else self._tick + delay
        heapq.heappush(self._agenda, (tick, self._said, case, step))

    def _proposed(self, case: Case) -> str | None:
        names = [event.data.get("proposed_owner") for event in case.events if event.kind is Kind.RETURN_ASKED]
        return self._codes.get(names[-1] or "") if names else None
