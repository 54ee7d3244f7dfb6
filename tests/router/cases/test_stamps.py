"""Stamps across the seams: whatever is changed in one past event by hand, or taken away, or put in, is found."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from router.cases.stamps import BEGIN, Flaw, Made, Roll, Stamper, flaws

STAMPER = Stamper({1: b"a key of a test"})
AT = datetime(2026, 11, 22, tzinfo=UTC)
CASE = "a" * 32

WORDS = st.text(max_size=8)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(0, 10**9).map(lambda ms: AT + timedelta(milliseconds=ms)),
            "kind": WORDS,
            "actor": WORDS,
            "department": st.none() | WORDS,
            "note": st.none() | WORDS,
            "data": st.dictionaries(st.text("abc", min_size=1, max_size=2), WORDS | st.integers(0, 9), max_size=3),
        }
    ),
    min_size=1,
    max_size=6,
)
ELSE: Mapping[str, Any] = {
    "n": 77,
    "at": AT - timedelta(milliseconds=1),
    "kind": "closed by hand",
    "actor": "nobody at all",
    "department": "ANOTHER_ONE",
    "note": "not what was said",
    "data": {"z": 1},
}


def numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"n": n, **event} for n, event in enumerate(events, 1)]


def stamped(events: list[dict[str, Any]], together: int = 0) -> tuple[list[bytes], dict[bytes, Roll]]:
    """Stamp a ledger; the event with the number `together` was another case's too."""
    stamps: list[bytes] = []
    rolls = {}
    for event in events:
        before = stamps[-1] if stamps else BEGIN
        if event["n"] == together and stamps:
            roll = STAMPER.together(encode(event), [CASE, "b" * 32], [before, b"-" * 18])
            rolls[roll.stamp] = roll
            stamps.append(roll.stamp)
        else:
            stamps.append(STAMPER.stamp(CASE, encode(event), before))
    return stamps, rolls


def found(events: list[dict[str, Any]], stamps: list[bytes], rolls: Mapping[bytes, Roll]) -> list[Flaw]:
    return list(flaws(STAMPER, CASE, [(event["n"], encode(event)) for event in events], stamps, rolls))


@settings(deadline=None)
@given(EVENTS, st.integers(0, 6))
def test_a_ledger_as_it_was_written_fits_and_also_after_the_store_has_read_it(
    events: list[dict[str, Any]], together: int
) -> None:
    ledger = numbered(events)
    stamps, rolls = stamped(ledger, together)
    read = [decode(encode(event)) for event in ledger]
    assert found(read, stamps, rolls) == []


@settings(deadline=None)
@given(EVENTS, st.integers(0, 6), st.sampled_from(sorted(ELSE)), st.data())
def test_one_changed_field_of_any_past_event_is_found_there(
    events: list[dict[str, Any]], together: int, name: str, data: st.DataObject
) -> None:
    ledger = numbered(events)
    stamps, rolls = stamped(ledger, together)
    place = data.draw(st.integers(0, len(ledger) - 1))
    changed = deepcopy(ledger)
    changed[place][name] = ELSE[name]
    assert place + 1 in {flaw.event for flaw in found(changed, stamps, rolls)}


@settings(deadline=None)
@given(EVENTS, st.integers(0, 6), st.data())
def test_an_event_taken_away_put_in_or_moved_is_found_also_by_one_who_mends_the_numbers(
    events: list[dict[str, Any]], together: int, data: st.DataObject
) -> None:
    ledger = numbered([*events, {**events[0], "kind": "the last"}])
    stamps, rolls = stamped(ledger, together)
    place = data.draw(st.integers(0, len(ledger) - 2))
    without = numbered([_plain(event) for event in ledger[:place] + ledger[place + 1 :]])
    assert found(without, stamps[:place] + stamps[place + 1 :], rolls)
    twice = numbered([_plain(event) for event in [*ledger[: place + 1], *ledger[place:]]])
    assert found(twice, [*stamps[: place + 1], *stamps[place:]], rolls)
    moved = [*ledger[:place], ledger[place + 1], ledger[place], *ledger[place + 2 :]]
    assert found(moved, stamps, rolls)
    renumbered = numbered([_plain(event) for event in moved])
    if renumbered != ledger:
        assert found(renumbered, stamps, rolls)


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "n"}


@settings(deadline=None)
@given(EVENTS)
def test_a_stamp_fits_no_other_case_and_no_other_key(events: list[dict[str, Any]]) -> None:
    (event, *_) = numbered(events)
    stamp = STAMPER.stamp(CASE, encode(event), BEGIN)
    assert STAMPER.fits(stamp, CASE, encode(event), BEGIN, None)
    assert not STAMPER.fits(stamp, "b" * 32, encode(event), BEGIN, None)
    assert not Stamper({1: b"another key"}).fits(stamp, CASE, encode(event), BEGIN, None)
    assert not Stamper({2: b"a key of a test"}).fits(stamp, CASE, encode(event), BEGIN, None)


def test_stamps_of_before_a_new_key_still_fit() -> None:
    event = encode({"n": 1})
    later = Stamper({1: b"a key of a test", 2: b"a newer one"})
    assert later.fits(STAMPER.stamp(CASE, event, BEGIN), CASE, event, BEGIN, None)
    assert later.stamp(CASE, event, BEGIN)[1] == 2


def test_a_late_stamp_says_so_and_cannot_be_made_to_look_as_if_it_were_made_at_once() -> None:
    event = encode({"n": 1})
    late = STAMPER.stamp(CASE, event, BEGIN, Made.LATE)
    assert late[0] == Made.LATE
    assert not STAMPER.fits(bytes((Made.AT_ONCE,)) + late[1:], CASE, event, BEGIN, None)


def test_without_its_roll_an_event_of_many_cases_does_not_fit() -> None:
    ledger = numbered([{"kind": "dispatched"}, {"kind": "delivered"}])
    stamps, rolls = stamped(ledger, together=2)
    assert found(ledger, stamps, rolls) == []
    (flaw,) = found(ledger, stamps, {})
    assert flaw.event == 2
    (roll,) = rolls.values()
    swapped = Roll(roll.stamp, roll.cases, [roll.before[1], roll.before[0]])
    assert found(ledger, stamps, {roll.stamp: swapped})[0].event == 2
