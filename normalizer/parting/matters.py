"""Whether the pieces of a message are requests of their own (一条多诉). When unsure, they are not.

Most counted lists are details, demands or questions of one matter. So everything speaks against a split that hints at
one: an introduction that already tells of a matter, a piece without a clear class, two pieces of one family of classes
or with words of each other's class, one party behind both, a piece that only points back at the one before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from normalizer.draft import Draft
from normalizer.parting.cuts import Cuts, cuts, may_be_several
from normalizer.steps.classify import OTHER, classify
from normalizer.steps.judge import is_request
from normalizer.steps.scan import REACH, scan
from normalizer.tables import Tables

#: A longer list is one of details; a longer piece is a story, and what it mentions beside its matter is no request.
MOST_REQUESTS, LONGEST, SHORTEST = 5, 500, 8
#: How clear the class of a piece must be, and how little it may have of another piece's class.
SURE, POINTS, LENT = 0.4, 8.0, 0.5
#: Who stands behind a matter: named in two pieces, the pieces are about them.
_PARTIES = (
    "开发商", "物业", "业委会", "学校", "幼儿园", "医院", "公司", "工地", "房东", "中介", "驾校", "机构", "村委",
    "村干部", "商家", "老板", "工厂", "施工方", "施工单位", "健身房", "银行", "法院", "派出所", "变电站", "搅拌站",
)  # fmt: skip
_POINTS_BACK = re.compile(r"(?:这|该|此|其|他|她|它|上述|以上|当时|后来|对方|而且|并且|如果|因为)")


def requests_of(draft: Draft, tables: Tables) -> Cuts | None:
    """Cut a masked message where it holds several requests; None: it is one."""
    text = draft.text
    if not may_be_several(text) or len(text) > REACH or not _is_free(draft):
        return None
    for found in cuts(text):
        if _are_apart(text, found, draft, tables):
            return found
    return None


def _is_free(draft: Draft) -> bool:
    """What the source already gave to one unit, or says to be about one, it holds for one order."""
    return draft.is_appeal and draft.handler is None and draft.subject_entity is None and draft.given is None


def _are_apart(text: str, found: Cuts, draft: Draft, tables: Tables) -> bool:
    words = [text[piece.start : piece.end] for piece in found.pieces]
    if len(words) > MOST_REQUESTS or not all(SHORTEST <= len(one) <= LONGEST for one in words):
        return False
    said = [one.removeprefix(piece.cue).lstrip("，,、.．：: ") for one, piece in zip(words, found.pieces, strict=True)]
    if any(_POINTS_BACK.match(one) for one in said[1:]) or _share_a_party(words, draft.title):
        return False
    if found.head and _tells_of_a_matter(text[: found.head], tables):
        return False
    read: list[Draft] = []
    for one in words:
        piece = _read(one, draft, tables)
        if not _is_clear(piece, tables):
            return False  # most end here: no further one need be read
        read.append(piece)
    return not any(_are_near(one, other) for one, other in combinations(read, 2))


def _share_a_party(words: Sequence[str], title: str) -> bool:
    return any(party in title or sum(party in one for one in words) > 1 for party in _PARTIES)


def _tells_of_a_matter(head: str, tables: Tables) -> bool:
    return _read(head, Draft(channel="board"), tables).score >= POINTS


def _read(words: str, draft: Draft, tables: Tables) -> Draft:
    piece = Draft("", words, draft.channel)
    piece.type_given, piece.masked = draft.type_given, draft.masked
    scan(piece, tables)
    classify(piece, tables)
    return piece


def _is_clear(piece: Draft, tables: Tables) -> bool:
    return (
        piece.code != OTHER
        and piece.code[:2] != "13"
        and piece.confidence >= SURE
        and piece.score >= POINTS
        and is_request(piece, tables)
    )


def _are_near(one: Draft, other: Draft) -> bool:
    """Say whether two pieces may be of one matter: kin classes, or each other's words."""
    return one.code[:2] == other.code[:2] or _lent(one, other.code) or _lent(other, one.code)


def _lent(piece: Draft, code: str) -> bool:
    of_it = next((other.confidence for other in piece.runners_up if other.code == code), 0.0)
    return of_it >= LENT * piece.confidence
