"""What the broker must look like, following the directory (拓扑): `plan` says what is missing, `apply` makes it so.

One topic exchange `appeals` without an alternate exchange (with one, an unroutable `mandatory` message would be
acknowledged), a quorum queue for each department, and beside them what brings messages back: feedback and dead
letters. Queues are declared with their type alone, since RabbitMQ 3.10 refuses a changed argument; limits,
dead-lettering and overflow are a policy's.

Nothing is ever taken away here: a queue whose department is no longer in the directory may hold orders. It is kept
and told; `retiring.py` is what may be done about it.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from router.dispatching.broker import Management, all_of
from router.errors import NoSuchUnit

APPEALS = "appeals"
FEEDBACK = "feedback"
FEEDBACK_QUEUE = "intake.feedback"
DEAD = "appeals.dead"
DEAD_QUEUE = "intake.dead"

EXCHANGES: Mapping[str, str] = {APPEALS: "topic", FEEDBACK: "topic", DEAD: "fanout"}
POLICY = "intake"
#: Not for `intake.dead` itself: what is dead there must not go round.
POLICY_PATTERN = r"^(dept\.|intake\.feedback$)"
POLICY_DEFINITION: Mapping[str, Any] = {
    "delivery-limit": 20,
    "dead-letter-exchange": DEAD,
    "dead-letter-strategy": "at-least-once",
    "overflow": "reject-publish",
}

#: Seconds after the last new queue before anything may be published to it. RabbitMQ 3.10 saves the names of new quorum
#: queues half a second after the last one: a broker that is killed before that loses them with all confirmed messages.
SETTLE = 2.0

#: Units that are named in answers to citizens and take no orders.
_TAKES_NO_ORDERS = "na"


class Unit(Protocol):
    """What topology reads of a unit of the directory."""

    @property
    def code(self) -> str:
        """Its code."""

    @property
    def kind(self) -> str:
        """`na` takes no orders."""

    @property
    def urgent_lane(self) -> bool:
        """Whether it wants critical ones in a queue of their own too."""


class What(StrEnum):
    """What a change is about, in the order in which changes are made."""

    EXCHANGE = "exchange"
    POLICY = "policy"
    QUEUE = "queue"
    BINDING = "binding"


class Step(NamedTuple):
    """One change to the broker."""

    what: What
    name: str  #: of the exchange, the policy or the queue
    exchange: str = ""
    key: str = ""  #: of the binding; the type of an exchange


@dataclass(frozen=True, kw_only=True)
class BrokerState:
    """What the broker has."""

    exchanges: Mapping[str, str] = field(default_factory=dict)
    queues: frozenset[str] = frozenset()
    bindings: frozenset[tuple[str, str, str]] = frozenset()  #: exchange, queue, routing key
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    alternates: frozenset[str] = frozenset()  #: exchanges declared with an alternate exchange
    users: frozenset[str] = frozenset()  #: who may do anything here


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be done, shown before it is done."""

    steps: tuple[Step, ...]
    kept: tuple[
        str, ...
    ]  #: queues of departments that the directory no longer has: look into them, then delete them by hand
    wrong: tuple[str, ...] = ()  #: what is there and other than it must be, and can't be changed in place

    def __bool__(self) -> bool:
        return bool(self.steps)


def queue_of(code: str) -> str:
    """Name a department's queue."""
    return f"dept.{code}"


def urgent_queue_of(code: str) -> str:
    """Name a department's urgent lane."""
    return f"dept.{code}.urgent"


def receives(unit: Unit) -> bool:
    """Say whether a unit takes orders."""
    return unit.kind != _TAKES_NO_ORDERS


def plan(units: Iterable[Unit], state: BrokerState) -> Plan:
    """Compare the directory with the broker. Pure."""
    queues, bindings = _wanted(units)
    steps = [Step(What.EXCHANGE, name, key=kind) for name, kind in EXCHANGES.items() if name not in state.exchanges]
    steps += [Step(What.POLICY, POLICY)] if not _policy_stands(state) else []
    steps += [Step(What.QUEUE, name) for name in queues if name not in state.queues]
    steps += [Step(What.BINDING, queue, exchange, key) for exchange, queue, key in bindings - state.bindings]
    kept = {name for name in state.queues if name.startswith("dept.")} - set(queues)
    wrong = tuple(_wrong(state, bindings, kept))
    return Plan(steps=tuple(sorted(steps, key=_order)), kept=tuple(sorted(kept)), wrong=wrong)


async def read_state(management: Management) -> BrokerState:
    """Ask the broker what it has."""
    exchanges = await management.listed("exchanges")
    queues = await management.listed("queues")
    bindings = await management.listed("bindings")
    policies = await management.listed("policies")
    return BrokerState(
        exchanges={each["name"]: each["type"] for each in exchanges},
        alternates=frozenset(each["name"] for each in exchanges if "alternate-exchange" in each["arguments"]),
        queues=frozenset(each["name"] for each in queues),
        bindings=frozenset((each["source"], each["destination"], each["routing_key"]) for each in bindings),
        policies={each["name"]: each for each in policies},
        users=frozenset(await management.permitted()),
    )


async def apply(wanted: Plan, management: Management, *, settle: float = SETTLE) -> None:
    """Make the broker so, and wait until it cannot forget it. Doing it again, or half of it, does no harm."""
    try:
        for what in What:
            await all_of(_do(step, management) for step in wanted.steps if step.what is what)
    finally:
        # Also after a half: the next plan finds these queues there and waits no more.
        if any(step.what is What.QUEUE for step in wanted.steps):
            await asyncio.sleep(settle)


async def bring_up(units: Iterable[Unit], management: Management, *, settle: float = SETTLE) -> Plan:
    """Plan and apply at once, as the demonstration and the tests do."""
    made = plan(list(units), await read_state(management))
    await apply(made, management, settle=settle)
    return made


# ---------------------------------------------------------------- users


class Credentials(NamedTuple):
    """One of a department's two users; shown once and kept nowhere by us."""

    user: str
    password: str
    queues: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, password=…)"


async def credentials(unit: Unit, management: Management, which: str = "a") -> Credentials:
    """Give one of a department's two users (`a`, `b`; `t` in the sandbox) a new password; the others go on as they are.

    It may read its own queues and write to exchange `feedback` under its own code; it may declare nothing.
    """
    if not receives(unit):
        raise NoSuchUnit(f"{unit.code} takes no orders and has no queue: nothing to give credentials for")
    if which not in {"a", "b", "t"}:
        raise NoSuchUnit(f"a department has the users a and b, and t in the sandbox, not {which}")
    user, password = f"dept.{unit.code}.{which}", secrets.token_urlsafe(24)
    await management.user(user, password)
    own = re.escape(queue_of(unit.code))
    nothing = "^$"
    await management.permissions(user, configure=nothing, write=f"^{FEEDBACK}$", read=rf"^{own}(\.urgent)?$")
    await management.topic_permissions(user, FEEDBACK, write=rf"^{re.escape(unit.code)}$", read=nothing)
    await management.topic_permissions(user, APPEALS, write=nothing, read=nothing)
    queues = [queue_of(unit.code)] + ([urgent_queue_of(unit.code)] if unit.urgent_lane else [])
    return Credentials(user, password, tuple(queues))


# ---------------------------------------------------------------- inside


def _wanted(units: Iterable[Unit]) -> tuple[dict[str, None], set[tuple[str, str, str]]]:
    queues: dict[str, None] = {FEEDBACK_QUEUE: None, DEAD_QUEUE: None}
    bindings = {(FEEDBACK, FEEDBACK_QUEUE, "#"), (DEAD, DEAD_QUEUE, "")}
    for unit in units:
        if not receives(unit):
            continue
        queues[queue_of(unit.code)] = None
        bindings.add((APPEALS, queue_of(unit.code), f"{unit.code}.#"))
        if unit.urgent_lane:
            # The same publish reaches both queues, so it is the same message id without our doing.
            queues[urgent_queue_of(unit.code)] = None
            bindings.add((APPEALS, urgent_queue_of(unit.code), f"{unit.code}.*.critical"))
    return queues, bindings


def _wrong(state: BrokerState, bindings: set[tuple[str, str, str]], kept: set[str]) -> Iterable[str]:
    """Name what an operator must look at: it is not ours to take away, and what it does is not what we promise."""
    for name, kind in EXCHANGES.items():
        if state.exchanges.get(name, kind) != kind:
            yield f"exchange {name} is of type {state.exchanges[name]} and must be {kind}: delete it, then apply again"
    if APPEALS in state.alternates:
        yield f"exchange {APPEALS} has an alternate exchange, which swallows what has no queue: delete it, apply again"
    for name, policy in state.policies.items():
        if "alternate-exchange" in policy["definition"] and re.search(policy["pattern"], APPEALS):
            yield f"policy {name} gives exchange {APPEALS} an alternate exchange: delete the policy"
    for exchange, queue, key in sorted(state.bindings - bindings):
        if exchange == APPEALS and queue not in kept:
            yield f"queue {queue} is bound to {APPEALS} with {key}: not by the directory; it reads what is not its own"


def _policy() -> dict[str, Any]:
    return {
        "pattern": POLICY_PATTERN,
        "apply-to": "queues",
        "priority": 10,
        "definition": dict(POLICY_DEFINITION),
    }


def _policy_stands(state: BrokerState) -> bool:
    there = state.policies.get(POLICY)
    return there is not None and all(there.get(name) == value for name, value in _policy().items())


def _order(step: Step) -> tuple[int, str, str]:
    return list(What).index(step.what), step.name, step.key


async def _do(step: Step, management: Management) -> None:
    match step.what:
        case What.EXCHANGE:
            await management.exchange(step.name, step.key)
        case What.POLICY:
            await management.policy(POLICY, _policy())
        case What.QUEUE:
            await management.queue(step.name)
        case What.BINDING:
            await management.binding(step.exchange, step.name, step.key)
