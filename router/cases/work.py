"""Where the work on a case stands (办理状态), and the one table of what departments and the centre make of it.

`STEPS` (feedback kind → event → state) and `CENTRE` (what the centre does) are at once the rule by which the state is
read off the ledger (standing.py), the filter of the conditional writes and the drawing in docs/departments.md, which a
test holds to them. Whether the messages have arrived is another matter: moves.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from router.cases.moves import Kind


class Work(StrEnum):
    """The states of an order. The numbers are added to, never changed."""

    DISPATCHED = "dispatched"
    SIGNED = "signed"
    RETURN_REQUESTED = "return_requested"
    CONSULTATION = "consultation"
    HANDLING = "handling"
    EXTENSION_REQUESTED = "extension_requested"
    SUSPENDED = "suspended"
    SUSPENSION_REQUESTED = "suspension_requested"
    INTERIM_REPLIED = "interim_replied"
    REPLIED = "replied"
    CALLBACK = "callback"
    CLOSED = "closed"
    REOPENED = "reopened"


#: Number and Chinese name of each state.
NAMES: Mapping[Work, tuple[int, str]] = MappingProxyType(
    {
        Work.DISPATCHED: (20, "已派单"),
        Work.SIGNED: (30, "已签收"),
        Work.RETURN_REQUESTED: (31, "退单申请"),
        Work.CONSULTATION: (32, "会商"),
        Work.HANDLING: (40, "办理中"),
        Work.EXTENSION_REQUESTED: (41, "延期申请"),
        Work.SUSPENDED: (42, "挂起"),
        Work.SUSPENSION_REQUESTED: (43, "挂起申请"),
        Work.INTERIM_REPLIED: (45, "阶段性回复"),
        Work.REPLIED: (50, "已答复待审核"),
        Work.CALLBACK: (55, "待回访"),
        Work.CLOSED: (60, "已办结"),
        Work.REOPENED: (61, "重办"),
    }
)


class Ask(StrEnum):
    """What a department asks for and the centre decides."""

    RETURN = "return"  #: 退单
    SUSPENSION = "suspension"  #: 挂起
    EXTENSION = "extension"  #: 延期


class Step(NamedTuple):
    """In these states it makes this one; in all others it is written down and moves nothing."""

    event: Kind
    before: frozenset[Work]
    after: Work | None = None
    ask: Ask | None = None  #: it is a request: the state is shown until the centre has decided, then it is as before


_NEW = frozenset({Work.DISPATCHED, Work.REOPENED})
_WORKING = _NEW | {Work.SIGNED, Work.HANDLING, Work.INTERIM_REPLIED}
_UNDONE = _WORKING | {Work.SUSPENDED}

#: Feedback kind → event → state.
STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "received": Step(Kind.TAKEN_IN, _WORKING),
        "accepted": Step(Kind.SIGNED, _NEW, Work.SIGNED),
        "contacted": Step(Kind.CONTACTED, _NEW | {Work.SIGNED}, Work.HANDLING),
        "progress": Step(Kind.PROGRESSED, _NEW | {Work.SIGNED}, Work.HANDLING),
        "interim": Step(Kind.INTERIM_REPLIED, _NEW | {Work.SIGNED, Work.HANDLING}, Work.INTERIM_REPLIED),
        "extension_requested": Step(Kind.EXTENSION_ASKED, _WORKING, Work.EXTENSION_REQUESTED, Ask.EXTENSION),
        "suspended": Step(Kind.SUSPENSION_ASKED, _WORKING, Work.SUSPENSION_REQUESTED, Ask.SUSPENSION),
        "resumed": Step(Kind.RESUMED, frozenset({Work.SUSPENDED}), Work.HANDLING),
        "return_requested": Step(Kind.RETURN_ASKED, _WORKING, Work.RETURN_REQUESTED, Ask.RETURN),
        "replied": Step(Kind.REPLIED, _UNDONE, Work.REPLIED),
        "resolved": Step(Kind.RESOLVED, _UNDONE | {Work.REPLIED}, Work.CALLBACK),
        # What counts is claimed also after the end, and moves nothing (claims.py).
        "exclusion_requested": Step(Kind.EXCLUSION_ASKED, frozenset(Work)),
        "disputed": Step(Kind.DISPUTED, frozenset(Work)),
    }
)

#: What the centre does, or the clock for it, in which states of the whole case, and what the case then is.
CENTRE: Mapping[Kind, Step] = MappingProxyType(
    {
        Kind.RETURN_UPHELD: Step(Kind.RETURN_UPHELD, frozenset({Work.RETURN_REQUESTED})),
        Kind.RETURN_REFUSED: Step(Kind.RETURN_REFUSED, frozenset({Work.RETURN_REQUESTED})),
        Kind.EXTENSION_GRANTED: Step(Kind.EXTENSION_GRANTED, frozenset({Work.EXTENSION_REQUESTED})),
        Kind.EXTENSION_REFUSED: Step(Kind.EXTENSION_REFUSED, frozenset({Work.EXTENSION_REQUESTED})),
        Kind.SUSPENSION_GRANTED: Step(Kind.SUSPENSION_GRANTED, frozenset({Work.SUSPENSION_REQUESTED}), Work.SUSPENDED),
        Kind.SUSPENSION_REFUSED: Step(Kind.SUSPENSION_REFUSED, frozenset({Work.SUSPENSION_REQUESTED})),
        Kind.SUSPENSION_ENDED: Step(Kind.SUSPENSION_ENDED, frozenset({Work.SUSPENDED}), Work.HANDLING),
        Kind.CONSULTED: Step(Kind.CONSULTED, frozenset({Work.RETURN_REQUESTED}), Work.CONSULTATION),
        Kind.REOPENED: Step(Kind.REOPENED, frozenset({Work.REPLIED, Work.CALLBACK, Work.CLOSED}), Work.REOPENED),
        Kind.CLOSED: Step(Kind.CLOSED, frozenset({Work.CALLBACK}), Work.CLOSED),
    }
)

FEEDBACK_EVENTS: Mapping[Kind, str] = MappingProxyType({step.event: kind for kind, step in STEPS.items()})


def rows() -> str:
    """Write the first table as a department's programmer reads it."""
    lines = ["| `kind` | 在这些状态下 · in these states | 变为 · becomes |", "| --- | --- | --- |"]
    for kind, step in STEPS.items():
        before = " ".join(f"`{state}`" for state in Work if state in step.before)
        before = "任何状态 · any" if step.before == frozenset(Work) else before
        after = f"`{step.after}`" if step.after else "不变 · stays"
        lines.append(f"| `{kind}` | {before} | {after}{'，待决定 · until decided' if step.ask else ''} |")
    return "\n".join(lines) + "\n"


def drawing() -> str:
    """Draw both tables as a Mermaid diagram of states, one arrow a line, always in the same order."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{number} {name}" as {state}' for state, (number, name) in NAMES.items()]
    lines.append(f"    [*] --> {Work.DISPATCHED}")
    for told, step in (*STEPS.items(), *CENTRE.items()):
        lines += [
            f"    {before} --> {step.after}: {told}"
            for before in Work
            if step.after is not None and before in step.before
        ]
    return "\n".join(lines) + "\n"
