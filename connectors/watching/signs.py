"""What is strange about one reading, beside what was learned. Pure.

A sign says how unlikely it is by the rows that show it, in decades. Whether it means anything is for judge.py to say:
a sign that shows itself now and then, and with nothing wrong, is a habit of this source.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import combinations

import msgspec

from connectors.watching.causes import Cause, Drift
from connectors.watching.learned import Field, Route, bucket, rows_of
from connectors.watching.shape import Shape
from connectors.watching.values import APART, GAPS, Values, is_time

FEWEST_READINGS = 20  #: of a route, before anything is said of it
FEWEST_ROWS = 20  #: of a field
FEWEST_LENGTHS = 60  #: of a field's texts: what is long is learned slowly
RARE = 0.02  #: a kind that fewer values have is none of the field's own
MOSTLY = 0.5  #: a field that fewer rows hold may be missing anywhere
DECADES = 2.0  #: by rows: whatever is likelier is chance
SURE = 4.0  #: by rows, of two readings together
#: Readings, on so many days, of which every single one held a thing: then a reading without it is no matter of rows.
ALWAYS_READINGS = 60
FEWEST_DAYS = 2
DAYS_OF_A_LIST = 3  #: a list that is empty at night must have been read at night


class Sign(msgspec.Struct, frozen=True):
    """One strange thing."""

    drift: Drift
    decades: float
    at_once: bool = False  #: no matter of chance: one reading shows it

    @property
    def key(self) -> str:
        return f"{self.drift.cause} {self.drift.route} {self.drift.field or ''}"


def signs(route: Route, shape: Shape, name: str) -> list[Sign]:
    """Everything that is strange about the answers of one route."""
    if route.readings < FEWEST_READINGS or route.days < FEWEST_DAYS:
        return []
    facts = list(_facts(route, shape))
    if any(sign.drift.cause in _WHOLE for sign in facts):
        return [_at(sign, name) for sign in facts]  # nothing of it is data: its fields say nothing
    found = [*facts, *_fields(route, shape)]
    return [_at(sign, name) for sign in _explained(found, route, shape)]


def _at(sign: Sign, route: str) -> Sign:
    return msgspec.structs.replace(sign, drift=msgspec.structs.replace(sign.drift, route=route))


#: What pages are, as the connector read them; see reading.py.
_OF_PAGES = {
    "same page": Cause.SAME_PAGE,
    "twice": Cause.TWICE,
    "reused": Cause.ID_REUSED,
    "shift": Cause.TIME_SHIFT,
    "unreadable": Cause.UNREADABLE,
    "status": Cause.NOT_DATA,
    "refused": Cause.TURNED_AWAY,
}
_AT_ONCE = {Cause.LOG_IN, Cause.NOT_DATA, Cause.BROKEN, Cause.TIME_SHIFT, Cause.ID_REUSED}
_WHOLE = {Cause.LOG_IN, Cause.NOT_DATA, Cause.BROKEN}
#: Facts that a page has more or less of: less than usual is no fault.
_DEGREES = {"no": 0, "none": 0, "yes": 1, "some": 1, "most": 2}


def _facts(route: Route, shape: Shape) -> Iterator[Sign]:
    """What whole answers are: one that no reading ever held is strange by itself."""
    for fact, values in shape.facts.items():
        known = route.facts.get(fact, {})
        usual = max(known, key=lambda each: known[each], default=None)
        for value in values:
            if value in known or usual is None or _is_less(value, known):
                continue
            drift = Drift(cause=_cause_of_fact(fact, value, shape), other=value, was=usual)
            yield Sign(drift, SURE, at_once=drift.cause in _AT_ONCE)


def _is_less(value: str, known: Iterable[str]) -> bool:
    """An answer that asks for no password, or a page with fewer unreadable rows than usual, is no fault."""
    most = max((_DEGREES[each] for each in known if each in _DEGREES), default=0)
    return _DEGREES.get(value, most + 1) <= most


def _cause_of_fact(fact: str, value: str, shape: Shape) -> Cause:
    if fact in _OF_PAGES:
        return _OF_PAGES[fact]
    if fact == "log-in" or (value == "html" and "yes" in shape.facts.get("log-in", {})):
        return Cause.LOG_IN
    if fact in {"encoding", "charset"}:
        return Cause.ENCODING
    return Cause.BROKEN if value in {"broken json", "broken xml", "text", "empty"} else Cause.NOT_DATA


def _fields(route: Route, shape: Shape) -> Iterator[Sign]:
    for path, field in route.fields.items():
        rows = rows_of(shape, path)
        if field.rows < FEWEST_ROWS or not rows:
            continue
        values = shape.fields.get(path) or Values()
        for cause, decades, other, was in _of_field(field, values, rows):
            if cause is Cause.NO_ROWS and route.days < DAYS_OF_A_LIST:
                continue
            if decades >= DECADES:
                yield Sign(Drift(cause=cause, field=path, other=other, was=was), decades)


_GAPS = {*GAPS.values(), APART}

Strange = tuple[Cause, float, str | None, str | None]


def _of_field(field: Field, values: Values, rows: int) -> Iterator[Strange]:
    usual = max(field.kinds, key=lambda kind: field.kinds[kind], default=None)
    if usual in _GAPS:
        # Times that are apart, or were, may be anything to each other; eight hours more or less are a zone.
        if values.present and usual != APART:
            yield from (each for each in _of_kinds(field, values, usual) if each[2] != APART)
        return
    if values.present == 0 and field.present:
        cause = Cause.GONE if values.seen == 0 else Cause.NO_ROWS if usual == "list" else Cause.EMPTIED
        decades = rows * _decades(field.rows - field.present, field.rows)
        # A list may well be empty at the end of every reading; what no reading did is to hold nothing at all.
        always = field.held == field.readings >= ALWAYS_READINGS and (decades >= 1 or usual == "list")
        yield cause, max(decades, SURE) if always else decades, None, usual
    missed = field.rows - field.present
    if 0 < values.present <= MOSTLY * rows and missed < RARE * field.rows:
        # What every row held, and half of them no longer do: of several who send, one has changed.
        decades = _rows_say(rows - values.present, missed, field.rows)
        yield (Cause.GONE if values.seen <= MOSTLY * rows else Cause.EMPTIED), decades, None, usual
    if values.present and usual is not None:
        yield from _of_kinds(field, values, usual)
        yield from _of_text(field, values)
        yield from _of_order(field, values)
        if values.twice and usual == "list" and values.twice >= 0.2 * values.rows:
            decades = _decades(field.twice, field.readings)
            yield Cause.TWICE, max(decades, SURE) if not field.twice else decades, None, None


def _of_kinds(field: Field, values: Values, usual: str) -> Iterator[Strange]:
    """Values of a kind that this field never held."""
    strange = {kind: n for kind, n in values.kinds.items() if field.kinds.get(kind, 0.0) < RARE * field.present}
    count = sum(strange.values())
    if count >= MOSTLY * values.present:
        novel = sum(n for n in field.kinds.values() if n < RARE * field.present)
        other = max(strange, key=lambda kind: strange[kind])
        yield _cause_of_kind(usual, other), _rows_say(count, novel, field.present), other, usual
    if is_time(usual) and values.future >= MOSTLY * values.present:
        decades = _rows_say(values.future, field.future, field.present)
        yield Cause.TIME_SHIFT, decades, "未来 (future)", None


def _cause_of_kind(usual: str, other: str) -> Cause:
    if usual.startswith("epoch") and other.startswith("epoch"):
        return Cause.TIME_UNIT if usual.split()[1] != other.split()[1] else Cause.TYPE
    if usual in _GAPS:
        return Cause.TIME_SHIFT
    if is_time(usual):
        return Cause.TIME_FORMAT
    return Cause.TYPE


def _of_text(field: Field, values: Values) -> Iterator[Strange]:
    texts, known = len(values.lengths), sum(field.lengths)
    distinct = min(texts, len(values.distinct))
    if not texts or known < FEWEST_ROWS:
        return
    if values.tags >= MOSTLY * texts:
        yield Cause.HTML, _rows_say(values.tags, field.tags, known), None, None
    if values.lost >= MOSTLY * texts or values.lost > 1:
        yield Cause.DAMAGED, _rows_say(values.lost, field.lost, known), None, None
    longest, shortest = max(values.lengths), min(values.lengths)
    below = sum(field.lengths[: bucket(longest) + 1])
    above = sum(field.lengths[bucket(shortest) :])
    if known >= FEWEST_LENGTHS:
        yield Cause.CUT, distinct * _decades(below, known), str(longest), None
    yield Cause.GROWN, distinct * _decades(above, known), str(shortest), None


def _of_order(field: Field, values: Values) -> Iterator[Strange]:
    """Rows in the other direction than always."""
    steps = field.up + field.down
    usual, against = (field.up, values.down) if field.up > field.down else (field.down, values.up)
    same = values.up + values.down - against
    if steps >= FEWEST_ROWS and usual >= 0.9 * steps and against > same:
        yield Cause.ORDER, _rows_say(against - same, steps - usual, steps), None, None


def _decades(times: float, of: float) -> float:
    """How unlikely one more is of what came so many times."""
    return -math.log10((times + 0.5) / (of + 1.0))


def _rows_say(count: int, times: float, of: float) -> float:
    """Several rows that show what none of many ever did are enough."""
    decades = count * _decades(times, of)
    return max(decades, SURE) if count > 1 and not times and of >= ALWAYS_READINGS else decades


def _explained(found: list[Sign], route: Route, shape: Shape) -> list[Sign]:
    """Put together what has one cause: a field that went and one that came, two that changed places."""
    new = [path for path in shape.fields if path not in route.fields and path]
    named = [_renamed(sign, new, route, shape) for sign in found]
    if shape.complains and any(_is_error(sign, route) for sign in named):
        return [Sign(Drift(cause=Cause.ERROR_BODY), SURE, at_once=True)]
    explained = _swapped(named, route, shape)
    # Long letters are no fault by themselves.
    return [sign for sign in explained if sign.drift.cause is not Cause.GROWN]


def _is_error(sign: Sign, route: Route) -> bool:
    """What held the rows is gone from the top, and nothing took its place."""
    top = sign.drift.field
    if sign.drift.cause not in {Cause.GONE, Cause.NO_ROWS, Cause.EMPTIED} or not top or "." in top:
        return False
    return sign.drift.cause is not Cause.NO_ROWS and any(
        path.startswith((f"{top}.", f"{top}[]")) for path in route.fields
    )


def _renamed(sign: Sign, new: list[str], route: Route, shape: Shape) -> Sign:
    """Where a field went: to another name at its place, or by its own name to another place."""
    drift = sign.drift
    if drift.cause not in {Cause.GONE, Cause.EMPTIED} or drift.field is None:
        return sign
    place, _, leaf = drift.field.rpartition(".")
    kinds = set(route.fields[drift.field].kinds)
    beside = [
        path
        for path in new
        if path.rpartition(".")[0] == place and (shape.fields[path].kinds.keys() & kinds or not kinds)
    ]
    moved = [path for path in new if path.rpartition(".")[2] == leaf]
    # Never seen in so many readings: that makes what is gone by chance as unlikely as its coming.
    decades = sign.decades + math.log10(route.readings + 1)
    if moved:
        return Sign(msgspec.structs.replace(drift, cause=Cause.MOVED, other=moved[0]), decades)
    if beside:
        return Sign(msgspec.structs.replace(drift, cause=Cause.RENAMED, other=beside[0]), decades)
    return sign


def _swapped(found: list[Sign], route: Route, shape: Shape) -> list[Sign]:
    """Two fields of one row, each of which now looks like the other."""
    odd = [sign for sign in found if sign.drift.cause in _ODD and sign.drift.field]
    for one, two in combinations(sorted(odd, key=lambda sign: sign.drift.field or ""), 2):
        if one.drift.field != two.drift.field and _place(one) == _place(two) and _fits(one, two, route, shape):
            swapped = Drift(cause=Cause.SWAPPED, field=one.drift.field, other=two.drift.field)
            rest = [sign for sign in found if sign not in {one, two}]
            return [Sign(swapped, one.decades + two.decades), *rest]
    return found


def _place(sign: Sign) -> str:
    return (sign.drift.field or "").rpartition(".")[0]


_ODD = {Cause.TYPE, Cause.TIME_FORMAT, Cause.TIME_UNIT, Cause.CUT, Cause.GROWN}


def _fits(one: Sign, two: Sign, route: Route, shape: Shape) -> bool:
    if {one.drift.cause, two.drift.cause} == {Cause.CUT, Cause.GROWN}:
        return True
    first, second = one.drift.field or "", two.drift.field or ""
    return _is_usual(shape.fields[first], route.fields[second]) and _is_usual(shape.fields[second], route.fields[first])


def _is_usual(values: Values, field: Field) -> bool:
    """Whether these values would be at home in that field."""
    return all(field.kinds.get(kind, 0.0) >= RARE * field.present for kind in values.kinds)
