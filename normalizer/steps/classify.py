"""Say what an appeal is about (诉求分类) and what it asks for (诉求类型), and by which words.

A class gets points from its words (long ones say more, those of the title count double, repeats count little) and from
its patterns. Its confidence is its share among the classes, less where little was found at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from normalizer.appeal import RequestType, RunnerUp
from normalizer.draft import Draft
from normalizer.tables import TYPES, Class, Tables

TITLE = 2.2  #: a word of the title says more than one of the text
REPEAT = 0.35  #: a word said again
FAMILY = 0.15  #: what the other classes of the same first level lend
DOUBT = 9.0  #: points that stand against every decision: little evidence is little confidence
GIVEN = 30.0  #: points of the source's own class
GIVEN_TOP = 8.0
LEAST = 4.0  #: fewer points than this are no decision
RUNNERS_UP = 4
EVIDENCE = 8
DIGITS = 10_000.0  #: a share is told in so many parts
MENTION = 0.01  #: a runner-up below this share is not worth a word
OTHER = "1309"
PRAISE = "1308"
_NOTHING: frozenset[int] = frozenset()
_COMPLAINT = RequestType.COMPLAIN  # an enum looked up each time is dear
_REPORT = TYPES.index(RequestType.REPORT)
_COMPLAIN = TYPES.index(RequestType.COMPLAIN)
_CONSULT = TYPES.index(RequestType.CONSULT)
_PRAISE = TYPES.index(RequestType.PRAISE)
_OTHER = TYPES.index(RequestType.OTHER)
_INVALID = TYPES.index(RequestType.INVALID)


def classify(draft: Draft, tables: Tables) -> None:
    """Decide request type and category."""
    kind = draft.request_type = request_type(draft, tables)
    scores, firm = _points(draft, tables)
    _lend(scores, tables.classes)
    _apply_type(kind, scores)
    ranked = sorted([(-points, code) for code, points in scores.items() if points > 0])[: RUNNERS_UP + 1]
    draft.score = -ranked[0][0] if ranked else 0.0
    if draft.score < LEAST or not firm:
        draft.code, draft.confidence = OTHER, 0.0
        draft.runners_up = [one for one in _shares(ranked, 0.0) if one.code != OTHER]
        return
    first, *draft.runners_up = _shares(ranked, MENTION)
    code = draft.code = first.code
    draft.confidence = first.confidence
    if draft.type_given is None and kind is _COMPLAINT and tables.classes[code].reports:
        draft.request_type = RequestType.REPORT
    _keep_evidence(draft, tables)


def _points(draft: Draft, tables: Tables) -> tuple[dict[str, float], bool]:
    """Add up what words, patterns and the source itself say; weak words alone are not firm."""
    scores: dict[str, float] = {}
    seen: set[int] = set()
    cut = draft.title_end
    votes = tables.votes
    for start, _, word in draft.keywords:
        factor = TITLE if start < cut else 1.0
        if word in seen:
            factor *= REPEAT
        else:
            seen.add(word)
        code, points, more = votes[word]
        scores[code] = scores.get(code, 0.0) + points * factor
        for code, points in more:
            scores[code] = scores.get(code, 0.0) + points * factor
    firm = not seen <= tables.weak
    for number, start, _ in draft.patterns:
        sense = tables.senses[number]
        if sense.code is not None:
            scores[sense.code] = scores.get(sense.code, 0.0) + sense.points * (1.3 if start < cut else 1.0)
            firm = True
    given = draft.given
    if given is not None:
        firm = _add_given(given.code, given.name, scores, tables) or firm
    return scores, firm


def _add_given(code: str | None, name: str | None, scores: dict[str, float], tables: Tables) -> bool:
    """Let the source's own class speak; a class that nobody mapped says nothing and is no error."""
    ours = tables.given_codes.get(name or "")
    if ours is None and code is not None:
        own = tables.classes.get(code)
        if own is not None and name in (None, own.name):
            ours = code
    if ours is None:
        for part in reversed((name or "").replace("->", "/").replace("-", "/").replace("．", ".").split("/")):
            ours = ours or tables.given_codes.get(part.lstrip("0123456789. 、").strip())
    if ours is not None:
        scores[ours] = scores.get(ours, 0.0) + GIVEN
        return True
    top = tables.given_tops.get((name or "").strip())
    if top is None:
        return False
    for known in scores:
        if known[:2] == top:
            scores[known] += GIVEN_TOP
    return False


def _lend(scores: dict[str, float], classes: Mapping[str, Class]) -> None:
    """Classes of one family support one another a little: three sorts of school words mean school."""
    family: dict[str, float] = {}
    for code, points in scores.items():
        top = classes[code].path[0]
        family[top] = family.get(top, 0.0) + points
    if len(family) == len(scores):
        return  # nobody has kin here
    for code, points in scores.items():
        scores[code] = points + FAMILY * (family[classes[code].path[0]] - points)


def _apply_type(kind: RequestType, scores: dict[str, float]) -> None:
    """Praise is a class of its own; polite words in a complaint are not praise."""
    if kind is RequestType.PRAISE:
        scores[PRAISE] = scores.get(PRAISE, 0.0) + max(scores.values(), default=0.0) + LEAST
    else:
        scores.pop(PRAISE, None)


def _shares(ranked: list[tuple[float, str]], least: float) -> list[RunnerUp]:
    """Turn points, written as less than nothing, into confidences that add up to less than 1; the small left out."""
    if not ranked:
        return []
    best = -ranked[0][0]
    sure = best / (best + DOUBT)
    # As squares: how much the leader is preferred.
    squares = [points * points for points, _ in ranked]
    total = sum(squares)
    shares = []
    for square, (_, code) in zip(squares, ranked, strict=True):
        share = square / total * sure
        if share <= least / 2:
            break  # they only grow smaller
        told = int(share * DIGITS + 0.5) / DIGITS  # `round` takes ten times as long
        if told >= least:
            shares.append(RunnerUp(code=code, confidence=told))
    return shares


def _keep_evidence(draft: Draft, tables: Tables) -> None:
    """Keep the words that spoke for the category that was chosen."""
    code = draft.code
    name = tables.classes[code].name
    kept = 0
    seen: set[int] = set()
    for number, start, end in draft.patterns:
        sense = tables.senses[number]
        if sense.code == code:
            draft.evident(start, end, f"{name}：{sense.why}" if sense.why else name)
            kept += 1
    speaking = tables.speaking.get(code, _NOTHING)
    for start, end, word in draft.keywords:
        if word in speaking and word not in seen:
            if kept >= EVIDENCE:
                break
            seen.add(word)
            draft.evident(start, end, name)
            kept += 1


VAGUE = 2.0  #: less than one fair word is nothing to go by
_ASKING = "?？"
#: A type that needs this much: one clear word, not two vague ones.
CLEAR = 6.0
THANKS = 4.0
ASKED = 4.0
ADVERTISEMENT = 200  #: an advertisement or a test is short
TITLE_TYPE = 2.0


def request_type(draft: Draft, tables: Tables) -> RequestType:
    """Take the source's own type where it has one that we know; else what the words say."""
    given = draft.type_given
    if given is not None:
        known = tables.given_types.get(given)
        if known is not None:
            draft.asked = known is RequestType.CONSULT
            return known
    points = [0.0] * len(TYPES)
    cut = draft.title_end
    seen: set[int] = set()
    typing = tables.typing
    for start, _, word in draft.cues:
        types = typing[word]
        if types and word not in seen:
            seen.add(word)
            for place, weight in types:
                points[place] += weight * TITLE_TYPE if start < cut else weight
    draft.asked = points[_CONSULT] >= ASKED
    return _best_type(points, draft.body)


def _best_type(points: list[float], body: str) -> RequestType:
    """Weigh: an accusation is no praise, a vague suspicion is a complaint; of equals the graver one is meant."""
    if not body or (points[_INVALID] >= CLEAR and len(body) < ADVERTISEMENT):
        return RequestType.INVALID
    points[_INVALID] = points[_OTHER] = 0.0
    if points[_PRAISE] < THANKS or points[_COMPLAIN] + points[_REPORT] > CLEAR / 2:
        points[_PRAISE] = 0.0
    if points[_REPORT] < CLEAR:
        points[_COMPLAIN] += points[_REPORT] / 2
        points[_REPORT] = 0.0
    best = max(points)
    if best >= VAGUE:
        return TYPES[points.index(best)]
    # Who only tells what happened, complains of it; who only asks, asks.
    return RequestType.CONSULT if best and points.index(best) == _CONSULT and _asks(body) else RequestType.COMPLAIN


def _asks(body: str) -> bool:
    return body.rstrip()[-1:] in _ASKING
