"""Stamps across the seams of a ledger (骑缝章): each event is stamped together with the stamp before it. Pure.

A stamp is a keyed hash over the stamp before, the case and the bytes of the event as they are stored. Whoever changes,
removes, inserts or moves an event by hand, and does not have the key, leaves a stamp that does not fit, and it shows
at which event. Nothing of a person has to stand in an event for it to be stamped: what can be erased is in the vault.

Cases that are confirmed together get one event in one write, so they get one stamp for it too: it is made over all of
them, and a roll (`Roll`) names them. A late stamp says that an event had stood for a while without one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

SIZE = 16  #: bytes of a hash
BEGIN = b""  #: what stands before the first stamp


class Made(IntEnum):
    """How a stamp came about: its first byte. The second is the number of the key."""

    AT_ONCE = 1  #: in the write of its event
    TOGETHER = 2  #: in the write of an event that many cases got at once
    LATE = 3  #: afterwards, over what stood there


class Roll(NamedTuple):
    """The cases that got one event in one write, and the stamp that each had before."""

    stamp: bytes
    cases: Sequence[str]
    before: Sequence[bytes]


class Flaw(NamedTuple):
    """What does not fit, and at which event; 0: the ledger as a whole."""

    event: int
    what: str


class Stamper:
    """Makes stamps with the newest key and checks those of every key; without any key it can do neither."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._keys = keys
        self._newest = max(keys, default=0)
        # Copied for each stamp: a third of the time of a new one.
        self._hashes = {
            (made, number): blake2b(bytes((made, number)), digest_size=SIZE, key=key)
            for number, key in keys.items()
            for made in Made
        }

    def stamp(self, case: str, event: bytes, before: bytes, made: Made = Made.AT_ONCE) -> bytes:
        """Stamp one event."""
        return self._stamp(made, self._newest, case, event, before)

    def stamps(self, case: str, events: Sequence[bytes], before: bytes, made: Made = Made.AT_ONCE) -> list[bytes]:
        """Stamp events that follow each other."""
        found, head, name, fresh = [], bytes((made, self._newest)), case.encode(), self._hashes[made, self._newest]
        for event in events:
            stamp = fresh.copy()
            stamp.update(_over(before, name, event))
            before = head + stamp.digest()
            found.append(before)
        return found

    def together(self, event: bytes, cases: Sequence[str], before: Sequence[bytes]) -> Roll:
        """Stamp one event that all of these get."""
        return Roll(self._together(self._newest, event, cases, before), cases, before)

    def fits(self, stamp: bytes, case: str, event: bytes, before: bytes, roll: Roll | None) -> bool:
        """Say whether this stamp was made over this event of this case, behind the stamp before."""
        if len(stamp) != SIZE + 2 or (stamp[0], stamp[1]) not in self._hashes:
            return False
        made, number = Made(stamp[0]), stamp[1]
        if made is not Made.TOGETHER:
            return compare_digest(self._stamp(made, number, case, event, before), stamp)
        if roll is None or case not in roll.cases or roll.before[roll.cases.index(case)] != before:
            return False
        return compare_digest(self._together(number, event, roll.cases, roll.before), stamp)

    def _stamp(self, made: Made, number: int, case: str, event: bytes, before: bytes) -> bytes:
        found = self._hashes[made, number].copy()
        found.update(_over(before, case.encode(), event))
        return bytes((made, number)) + found.digest()

    def _together(self, number: int, event: bytes, cases: Sequence[str], before: Sequence[bytes]) -> bytes:
        found = self._hashes[Made.TOGETHER, number].copy()
        found.update(event)
        found.update("\0".join(cases).encode())
        found.update(b"\0" + b"".join(before))
        return bytes((Made.TOGETHER, number)) + found.digest()


def _over(before: bytes, case: bytes, event: bytes) -> bytes:
    """What one stamp is made over; it can be read in one way only."""
    return b"%c%b%b\0%b" % (len(before), before, case, event)


def split(stamps: bytes) -> list[bytes]:
    """Take stamps apart that are kept in one piece."""
    return [stamps[n : n + SIZE + 2] for n in range(0, len(stamps), SIZE + 2)]


def flaws(
    stamper: Stamper,
    case: str,
    events: Sequence[tuple[int, bytes]],
    stamps: Sequence[bytes],
    rolls: Mapping[bytes, Roll],
) -> Iterator[Flaw]:
    """Give what does not fit in the ledger of one case: its events with their numbers, as they are stored."""
    numbers = [n for n, _ in events]
    if numbers != list(range(1, len(events) + 1)):
        place = next(i for i, n in enumerate([*numbers, -1], 1) if n != i)
        yield Flaw(place, "编号不连续：有事项被删除、插入或调换 · events were removed, inserted or moved")
    if len(stamps) != len(events):
        yield Flaw(
            min(len(stamps), len(events)) + 1,
            f"{len(events)} 个事项，{len(stamps)} 个骑缝章 · there are not as many stamps as events",
        )
    before = BEGIN
    for place, ((_, event), stamp) in enumerate(zip(events, stamps, strict=False), 1):
        if not stamper.fits(stamp, case, event, before, rolls.get(stamp)):
            yield Flaw(place, _why(stamp, rolls))
        before = stamp


def _why(stamp: bytes, rolls: Mapping[bytes, Roll]) -> str:
    if stamp[:1] == bytes((Made.TOGETHER,)) and stamp not in rolls:
        return "同批送达的名册不见了 · the roll of those confirmed with it is gone"
    return "事项与骑缝章不符：内容、次序或前一章被改动 · the event, or what stood before it, is not what was stamped"
