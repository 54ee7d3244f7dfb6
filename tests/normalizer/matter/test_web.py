"""Joining and splitting are exact inverses."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from normalizer.matter.web import Event, Joined, join, split, take_out

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


@given(
    st.dictionaries(st.sampled_from(APPEALS), st.sampled_from([None, *EVENTS]), max_size=8),
    st.lists(st.sampled_from(APPEALS), min_size=1, unique=True),
    st.lists(st.sampled_from(APPEALS), min_size=1, unique=True),
    st.data(),
)
def test_who_is_joined_and_taken_out_again_one_by_one_is_where_they_were(
    homes: dict[str, str | None], first: list[str], second: list[str], data: st.DataObject
) -> None:
    event, before = join(Event(id="e9", order="e9"), first, homes, SAID)
    after, now = join(event, second, before, SAID)
    came = [id_ for id_ in second if before.get(id_) != "e9"]
    for id_ in data.draw(st.permutations(came)):
        after, now = take_out(after, id_, now)
    assert after == event
    assert {id_: home for id_, home in now.items() if home or id_ in before} == before
    assert split(after, now) == split(event, now)


@given(st.lists(st.sampled_from(APPEALS), min_size=2, unique=True))
def test_whom_a_person_takes_out_leaves_and_the_others_stay(members: list[str]) -> None:
    """Also one that was suspected to be in this very event."""
    event, homes = join(Event(id="e0", order=members[0]), members, dict.fromkeys(members, "e0"), SAID)
    after, now = take_out(event, members[-1], homes)
    assert now == {**homes, members[-1]: None}
    assert all(members[-1] not in joined.members for joined in after.joinings)
    assert take_out(after, members[-1], now) == (after, now)
