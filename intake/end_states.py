"""Where one item ended (终态), derived from what each room's store says of it. Pure; balance.py sums it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

#: Why an item has no end state.
RAW_MISSING = "raw missing"
APPEAL_MISSING = "appeal missing"
CASE_MISSING = "case missing"
PART_MISSING = "case of a part missing"
ROUND_MISSING = "case of a later round missing"
UNKNOWN_STATE = "case in a state without an end"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One item and where it ended (or stands)."""

    id: str
    source: str
    native_id: str
    day: str
    state: str | None  #: None is a difference
    department: str | None = None  #: who holds it
    departments: tuple[str, ...] = ()  #: everyone to whom something was sent
    since: datetime | None = None
    reason: str | None = None
    missing: str | None = None
    parts: int = 1  #: cases: more than one of a message with several requests


#: Of a message with several requests the least finished of its parts counts: these in turn, then any other.
LEAST_FINISHED = ("in_flight", "triage", "parked", "delivered", "linked")

#: Case states that are end states or open states of the balance, named alike.
CASE_STATES = frozenset(
    {
        "in_flight",
        "delivered",
        "triage",
        "linked",
        "informed",
        "handed_over",
        "withdrawn",
        "observed",
        "parked",
    }
)


def end_state(
    raw: Mapping[str, Any],
    unmapped: Mapping[str, Any] | None,
    appeal: Mapping[str, Any] | None,
    case: Mapping[str, Any] | None,
    unfinished: Mapping[str, datetime],
    *,
    parts: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Entry:
    """Derive where one item ended. Pure; the order of the questions is the meaning."""
    if appeal is not None and unmapped is not None and appeal["revision"] >= unmapped["revision"]:
        unmapped = None  # what could not be mapped was superseded by what could
    parked = raw.get("parked") or (None if raw["_id"] in unfinished else unmapped)
    if parked:
        return _entry(raw, "parked", reason=parked.get("reason"))
    if raw["_id"] in unfinished:
        return _entry(raw, "in_flight", since=unfinished[raw["_id"]], case=case)
    if case is not None:
        return _of_parts(raw, [case, *(parts.get(part) for part in case.get("parts", ()))])
    return _without_case(raw, appeal)


def _without_case(raw: Mapping[str, Any], appeal: Mapping[str, Any] | None) -> Entry:
    if appeal is not None:
        # Whatever is an appeal has a case, also one that was taken back.
        is_appeal = appeal["quality"]["is_appeal"]
        return _entry(raw, None, missing=CASE_MISSING) if is_appeal else _entry(raw, "not_an_appeal")
    if raw.get("withdrawn"):
        return _entry(raw, "withdrawn")  # before it was ever read
    return _entry(raw, None, missing=APPEAL_MISSING)


def _of_parts(raw: Mapping[str, Any], cases: Sequence[Mapping[str, Any] | None]) -> Entry:
    """An item is where the least finished of its parts is; one that is nowhere is a difference of the item."""
    found = [_of_case(raw, case) for case in cases if case is not None]
    if len(found) == 1 == len(cases):
        return found[0]
    if len(found) < len(cases):
        return _entry(raw, None, missing=PART_MISSING)
    least = min(found, key=lambda entry: _rank(entry.state))
    sent = dict.fromkeys(code for entry in found for code in entry.departments)
    return msgspec.structs.replace(least, departments=tuple(sent), parts=len(found))


def _rank(state: str | None) -> int:
    if state is None:
        return -1
    return LEAST_FINISHED.index(state) if state in LEAST_FINISHED else len(LEAST_FINISHED)


def _of_case(raw: Mapping[str, Any], case: Mapping[str, Any]) -> Entry:
    if case.get("continued"):
        # The newest that is there names another one: what was said since then has no case.
        return _entry(raw, None, missing=ROUND_MISSING, case=case)
    if case["state"] not in CASE_STATES:
        return _entry(raw, None, missing=f"{UNKNOWN_STATE}: {case['state']}", case=case)
    return _entry(raw, case["state"], since=case.get("since"), case=case)


def _entry(
    raw: Mapping[str, Any],
    state: str | None,
    *,
    case: Mapping[str, Any] | None = None,
    since: datetime | None = None,
    reason: str | None = None,
    missing: str | None = None,
) -> Entry:
    sent = (
        [] if case is None else [each["department"] for each in case.get("dispatches", []) if each["state"] == "sent"]
    )
    return Entry(
        id=raw["_id"],
        source=raw["source"],
        native_id=raw["native_id"],
        day=raw["day"],
        state=state,
        department=None if case is None else case.get("holder"),
        departments=tuple(dict.fromkeys(sent)),
        since=since or raw.get("received_at"),
        reason=reason,
        missing=missing,
    )
