"""A beam search over the ways in which the bytes of a slipped text can be paired.

A reading of the text up to some character is: how likely it is, the byte that still waits for its partner (if any), the
character before, and what was read. At every character each reading goes on in all the ways that its bytes allow; the
likeliest few are kept. The winner must beat the text as it stands by a clear margin.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from normalizer.steps.repair.characters import characters
from normalizer.steps.repair.gbk import FOLDED, LEADS, is_private, pairs

#: A byte is known to be lost here; and lost right before the end of a paragraph.
LOST, LOST_AT_END = "\ue900", "\ue901"

#: What it costs to take an unknown byte (with the 190 it may be), and to suppose that one is missing without a mark.
UNKNOWN, ANY_BYTE = 2.0, 4.85
MISSING, INSERTED = 13.0, 2.0
#: How much likelier the winner must be than the text as it stands.
MARGIN = 6.0
BEAM, WIDE_BEAM = 32, 192
#: More readings than this at once means that unknown bytes are open.
_OPEN = 126
_WAITING = 3.5
_LEFT_OVER, _LEFT_OVER_CUT = 9.0, 4.0
_PRIVATE = 4.0
_DROPPED = 9.0


class Read(NamedTuple):
    """What was read so far, as a list linked backwards."""

    before: Read | None
    text: str


class Reading(NamedTuple):
    """One way to read the text up to here."""

    score: float
    waiting: int | None
    last: str
    read: Read | None
    slipped: bool


class _Beam:
    """The best reading of each (byte that waits, character before)."""

    __slots__ = ("_best",)

    def __init__(self) -> None:
        self._best: dict[tuple[int | None, str], Reading] = {}

    def put(self, reading: Reading) -> None:
        key = (reading.waiting, reading.last)
        known = self._best.get(key)
        if known is None or known.score < reading.score:
            self._best[key] = reading

    def kept(self) -> list[Reading]:
        ranked = sorted(
            self._best.values(),
            key=lambda one: one.score - (_WAITING if one.waiting is not None else 0.0),
            reverse=True,
        )
        return ranked[: BEAM if len(ranked) < _OPEN else WIDE_BEAM]


def aligned(text: str, hot: AbstractSet[int], before: str, *, cut: bool) -> str | None:
    """Read a text anew; None if nothing reads clearly better. `hot` is where a byte may be missing without a mark."""
    model = characters()
    first = model.fold(before)
    readings = [Reading(0.0, None, first, None, slipped=False)]
    for at, character in enumerate(text):
        beam = _Beam()
        for reading in readings:
            if reading.waiting is None:
                _in_step(reading, character, beam.put, hot=at in hot)
            else:
                _slipped(reading, reading.waiting, character, beam.put)
        readings = beam.kept()
        if not readings:
            return None
    left_over = _LEFT_OVER_CUT if cut else _LEFT_OVER
    score, best = max(
        ((one.score - (left_over if one.waiting is not None else 0.0), one) for one in readings),
        key=lambda one: one[0],
    )
    as_it_stands = model.score(text.replace(LOST, "?").replace(LOST_AT_END, "?"), before)
    if not best.slipped or score - as_it_stands < MARGIN:
        return None
    return _text(best.read)


def _text(read: Read | None) -> str:
    parts: list[str] = []
    while read is not None:
        read, text = read
        parts.append(text)
    return "".join(reversed(parts))


def _in_step(reading: Reading, character: str, put: Callable[[Reading], None], *, hot: bool) -> None:
    """Go on from a reading in which no byte waits."""
    model = characters()
    score, _, last, read, slipped = reading
    if character == LOST:
        put(Reading(score + model.after(last, "?") - UNKNOWN, None, last, read, slipped))
    elif character == LOST_AT_END:
        put(Reading(score - 6, None, last, read, slipped))
    else:
        folded = model.fold(character)
        same_run = last == folded and folded in "0a"
        step = 0.0 if same_run else model.after(last, folded)
        put(Reading(score + step, None, folded, Read(read, character), slipped))
    if character in ("?", "\ufffd", LOST):
        for lead in LEADS:
            put(Reading(score - UNKNOWN - ANY_BYTE, lead, last, read, slipped=True))
    elif hot:
        _insert(reading, character, put)


def _insert(reading: Reading, character: str, put: Callable[[Reading], None]) -> None:
    """Suppose that a first byte is missing before this character, though nothing marks it."""
    model, table = characters(), pairs()
    two = table.encode.get(character) or FOLDED.get(character)
    if two is None:
        return
    for lead in LEADS:
        made = table.decode.get((lead, two[0]))
        if made is None or is_private(made):
            continue
        folded = model.fold(made)
        score = reading.score - MISSING - INSERTED + model.after(reading.last, folded)
        put(Reading(score, two[1], folded, Read(reading.read, made), slipped=True))


def _slipped(reading: Reading, waiting: int, character: str, put: Callable[[Reading], None]) -> None:
    """Go on from a reading in which a first byte waits for its second."""
    model, table = characters(), pairs()
    score, _, last, read, slipped = reading
    if character in (LOST, "?", "\ufffd"):
        _close_with_any(reading, waiting, put, -UNKNOWN - ANY_BYTE)
        return
    if character == LOST_AT_END:
        _close_with_any(reading, waiting, put, -1.0, at_end=True)
        return
    if "@" <= character <= "~":
        made = table.decode.get((waiting, ord(character)))
        if made is not None and not is_private(made):
            folded = model.fold(made)
            put(Reading(score + model.after(last, folded), None, folded, Read(read, made), slipped))
    ways = [two for two in (table.encode.get(character), FOLDED.get(character)) if two is not None]
    for second, next_waiting in ways:
        made = table.decode.get((waiting, second))
        if made is None:
            continue
        folded = model.fold(made)
        step = model.after(last, folded) - (_PRIVATE if is_private(made) else 0.0)
        put(Reading(score + step, next_waiting, folded, Read(read, made), slipped))
    if not ways and not "@" <= character <= "~":  # the byte that would close the pair is lost too
        folded = model.fold(character)
        put(Reading(score - _DROPPED + model.after("\ufffd", folded), None, folded, Read(read, character), slipped))


def _close_with_any(
    reading: Reading, waiting: int, put: Callable[[Reading], None], cost: float, *, at_end: bool = False
) -> None:
    """Close a pair with a second byte that is unknown."""
    model, table = characters(), pairs()
    for second in range(0x40, 0xFF):
        made = table.decode.get((waiting, second))
        if made is None or is_private(made):
            continue
        folded = model.fold(made)
        step = model.after(reading.last, folded) + cost
        if at_end:
            step += 0.3 * model.after(folded, "\n")
        last = "\n" if at_end else folded
        put(Reading(reading.score + step, None, last, Read(reading.read, made), reading.slipped))
