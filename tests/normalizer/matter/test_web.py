"""Joining and splitting are exact inverses."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from normalizer.matter.web import Event, Joined, join, split

SAID = ("张三", "同一处", datetime(2026, 11, 22, tzinfo=UTC))
APPEALS = [f"a{number}" for number in range(12)]
EVENTS = ["e0", "e1", "a0", "a1"]


def test_join_then_split_is_the_identity_on_100_000_random_sequences() -> None:
    """Whatever was joined before: undoing in the order of doing brings every state back, to the last byte."""
    chance = random.Random(20261122)
    for _ in range(100_000):
        homes = {id_: chance.choice([None, *EVENTS]) for id_ in chance.sample(APPEALS, chance.randrange(1, 8))}
        events = {id_: Event(id=id_, order=id_) for id_ in EVENTS}
        past = []
        for _ in range(chance.randrange(1, 5)):
            event = chance.choice(EVENTS)
            past.append((event, events[event], homes))
            events[event], homes = join(events[event], chance.sample(APPEALS, chance.randrange(1, 5)), homes, SAID)
        while past:
            event, before, homes_before = past.pop()
            if events[event] != before:
                events[event], homes = split(events[event], homes)
            assert events[event] == before
            assert {id_: home for id_, home in homes.items() if home or id_ in homes_before} == homes_before


@given(st.lists(st.sampled_from(APPEALS), min_size=1, unique=True), st.sampled_from(EVENTS))
def test_joining_twice_changes_nothing_more(members: list[str], event: str) -> None:
    once, homes = join(Event(id=event, order=event), members, {}, SAID)
    assert join(once, members, homes, SAID) == (once, homes)
    assert all(homes[id_] == event for id_ in members)


def test_whoever_left_for_another_event_stays_there_when_the_first_is_split() -> None:
    first, homes = join(Event(id="e0", order="e0"), ["a1", "a2"], {}, SAID)
    _, homes = join(Event(id="e1", order="e1"), ["a2"], homes, SAID)
    after, homes = split(first, homes)
    assert after.joinings == []
    assert homes == {"a1": None, "a2": "e1"}


def test_a_joining_says_who_and_why_and_where_everybody_was() -> None:
    event, _ = join(Event(id="e0", order="e0"), ["a1", "a2"], {"a2": "e1"}, SAID)
    assert event.joinings == [Joined(members={"a1": None, "a2": "e1"}, by=SAID[0], reason=SAID[1], at=SAID[2])]
