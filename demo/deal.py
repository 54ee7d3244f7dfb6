"""Who tells what: every text is dealt to one source, by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from demo.library import Edit, Library, Text

HOTLINE, RSS, ATOM, JSONFEED, GBK, DISCUZ, WALINE = SOURCES = (
    "demo-hotline",
    "demo-forum",
    "demo-forum-atom",
    "demo-forum-json",
    "demo-forum-gbk",
    "demo-discuz",
    "demo-news",
)
EXCHANGE = "demo-exchange"  #: it is dealt nothing: it pushes while a city lives (exchange.py)
#: of a hundred appeals, how many each source tells
SHARES = {HOTLINE: 40, RSS: 13, ATOM: 9, JSONFEED: 8, GBK: 8, DISCUZ: 12, WALINE: 10}
#: how much idle talk each source carries
CHATTER = {RSS: 6, ATOM: 3, GBK: 3, DISCUZ: 45, WALINE: 95}
#: how many of a source's authors correct themselves later
EDITS = {HOTLINE: 5, RSS: 2, ATOM: 1, JSONFEED: 1, GBK: 1, DISCUZ: 2, WALINE: 2}
#: items with older times that appear in each source's second phase
LATE = 3
#: texts kept for live submissions
RESERVE = 10


class Hand(msgspec.Struct, frozen=True):
    """What one source tells."""

    texts: list[Text]  #: appeals and idle talk, mixed
    edits: list[Edit]
    late: list[Text]


class Deal(msgspec.Struct, frozen=True):
    """All hands, and what is left."""

    hands: dict[str, Hand]
    reserve: list[Text]


def deal(library: Library, rng: random.Random) -> Deal:
    """Shuffle and deal: no text is told twice."""
    appeals = rng.sample(library.appeals, len(library.appeals))
    edits = iter(rng.sample(library.edits, len(library.edits)))
    idle = iter(rng.sample(library.chatter, len(library.chatter)))
    late, reserve = _take(appeals, LATE * len(SOURCES)), _take(appeals, RESERVE)
    shares = dict(_shares(appeals))
    hands = {}
    for source in SOURCES:
        chatter = [Text(category="", body=next(idle)) for _ in range(CHATTER.get(source, 0))]
        texts = [*shares[source], *chatter]
        rng.shuffle(texts)
        corrected = [next(edits) for _ in range(EDITS[source])]
        hands[source] = Hand(texts, corrected, _take(late, LATE))
    return Deal(hands, reserve)


def _take(texts: list[Text], count: int) -> list[Text]:
    taken = texts[:count]
    del texts[:count]
    return taken


def _shares(texts: list[Text]) -> Iterator[tuple[str, list[Text]]]:
    start = share = 0
    for source in SOURCES:
        share += SHARES[source]
        end = len(texts) * share // 100
        yield source, texts[start:end]
        start = end
