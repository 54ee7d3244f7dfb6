"""What is strange about one reading, beside what was learned. Pure.

A sign says how unlikely it is by the rows that show it, in decades. Whether it means anything is for judge.py to say:
a sign that shows itself now and then, and with nothing wrong, is a habit of this source.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import msgspec

from connectors.watching.causes import Cause, Drift
from connectors.watching.learned import Field, Route, bucket, rows_of
from connectors.watching.shape import Shape
from connectors.watching.values import Values, is_time

FEWEST_READINGS = 20  #: of a route, before anything is said of it
FEWEST_ROWS = 20  #: of a field
RARE = 0.02  #: a kind that fewer values have is none of the field's own
MOSTLY = 0.5  #: a field that fewer rows hold may be missing anywhere
DECADES = 2.5  #: by rows: whatever is likelier is chance


class Sign(msgspec.Struct, frozen=True):
    """One strange thing."""

    drift: Drift
    decades: float

    @property
    def key(self) -> str:
        return f"{self.drift.cause} {self.drift.route} {self.drift.field or ''}"


def signs(route: Route, shape: Shape, name: str) -> list[Sign]:
    """Everything that is strange about the answers of one route."""
    if route.readings < FEWEST_READINGS:
        return []
    facts = list(_facts(route, shape))
    if any(sign.drift.cause in _WHOLE for sign in facts):
        return [_at(sign, name) for sign in facts]  # nothing of it is data: its fields say nothing
    found = [*facts, *_fields(route, shape)]
    return [_at(sign, name) for sign in _explained(found, route, shape)]


def _at(sign: Sign, route: str) -> Sign:
    return Sign(msgspec.structs.replace(sign.drift, route=route), sign.decades)


#: What pages are, as the connector read them; see reading.py.
_OF_PAGES = {
    "same page": Cause.SAME_PAGE,
    "twice": Cause.TWICE,
    "reused": Cause.ID_REUSED,
    "shift": Cause.TIME_SHIFT,
    "unreadable": Cause.UNREADABLE,
    "status": Cause.NOT_DATA,
}
_WHOLE = {Cause.LOG_IN, Cause.NOT_DATA, Cause.BROKEN}


def _facts(route: Route, shape: Shape) -> Iterator[Sign]:
    """What whole answers are: one that no reading ever held is strange by itself."""
    for fact, values in shape.facts.items():
        known = route.facts.get(fact, {})
        usual = max(known, key=lambda each: known[each], default=None)
        for value in values:
            if value in known or usual is None:
                continue
            drift = Drift(cause=_cause_of_fact(fact, value, shape), other=value, was=usual)
            yield Sign(drift, math.log10(2 * (route.readings + 1)))


def _cause_of_fact(fact: str, value: str, shape: Shape) -> Cause:
    if fact in _OF_PAGES:
        return _OF_PAGES[fact]
    if fact == "log-in" or (value == "html" and "yes" in shape.facts.get("log-in", {})):
        return Cause.LOG_IN
    if fact in {"encoding", "charset"}:
        return Cause.ENCODING
    return Cause.BROKEN if value in {"broken json", "text", "empty"} else Cause.NOT_DATA


def _fields(route: Route, shape: Shape) -> Iterator[Sign]:
    for path, field in route.fields.items():
        rows = rows_of(shape, path)
        if field.rows < FEWEST_ROWS or not rows:
            continue
        values = shape.fields.get(path) or Values()
        for cause, decades, other, was in _of_field(field, values, rows):
            if decades >= DECADES:
                yield Sign(Drift(cause=cause, field=path, other=other, was=was), decades)


Strange = tuple[Cause, float, str | None, str | None]


def _of_field(field: Field, values: Values, rows: int) -> Iterator[Strange]:
    usual = max(field.kinds, key=lambda kind: field.kinds[kind], default=None)
    if field.present >= MOSTLY * field.rows and values.present == 0:
        cause = Cause.GONE if values.seen == 0 else Cause.NO_ROWS if usual == "list" else Cause.EMPTIED
        yield cause, rows * _decades(field.rows - field.present, field.rows), None, usual
    if values.present and usual is not None:
        yield from _of_kinds(field, values, usual)
        yield from _of_text(field, values)
        yield from _of_order(field, values)


def _of_kinds(field: Field, values: Values, usual: str) -> Iterator[Strange]:
    """Values of a kind that this field never held."""
    strange = {kind: n for kind, n in values.kinds.items() if field.kinds.get(kind, 0.0) < RARE * field.present}
    count = sum(strange.values())
    if count >= MOSTLY * values.present:
        novel = sum(n for n in field.kinds.values() if n < RARE * field.present)
        other = max(strange, key=lambda kind: strange[kind])
        yield _cause_of_kind(usual, other), count * _decades(novel, field.present), other, usual
    if is_time(usual) and values.future >= MOSTLY * values.present:
        decades = values.future * _decades(field.future, field.present)
        yield Cause.TIME_SHIFT, decades, "未来 (future)", None


def _cause_of_kind(usual: str, other: str) -> Cause:
    if usual.startswith("epoch") and other.startswith("epoch"):
        return Cause.TIME_UNIT if usual.split()[1] != other.split()[1] else Cause.TYPE
    if is_time(usual):
        return Cause.TIME_FORMAT
    return Cause.TYPE


def _of_text(field: Field, values: Values) -> Iterator[Strange]:
    texts, known = len(values.lengths), sum(field.lengths)
    if not texts or known < FEWEST_ROWS:
        return
    if values.tags >= MOSTLY * texts:
        yield Cause.HTML, values.tags * _decades(field.tags, known), None, None
    if values.lost >= MOSTLY * texts or values.lost > 1:
        yield Cause.DAMAGED, values.lost * _decades(field.lost, known), None, None
    longest, shortest = max(values.lengths), min(values.lengths)
    below = sum(field.lengths[: bucket(longest) + 1])
    above = sum(field.lengths[bucket(shortest) :])
    yield Cause.CUT, texts * _decades(below, known), str(longest), None
    yield Cause.GROWN, texts * _decades(above, known), str(shortest), None


def _of_order(field: Field, values: Values) -> Iterator[Strange]:
    """Rows in the other direction than always."""
    steps = field.up + field.down
    usual, against = (field.up, values.down) if field.up > field.down else (field.down, values.up)
    same = values.up + values.down - against
    if steps >= FEWEST_ROWS and usual >= 0.9 * steps and against > same:
        yield Cause.ORDER, (against - same) * _decades(steps - usual, steps), None, None


def _decades(times: float, of: float) -> float:
    """How unlikely one more is of what came so many times."""
    return -math.log10((times + 0.5) / (of + 1.0))


def _explained(found: list[Sign], route: Route, shape: Shape) -> list[Sign]:
    """Put together what has one cause: a field that went and one that came, two that changed places."""
    gone = [sign for sign in found if sign.drift.cause is Cause.GONE]
    if gone and shape.complains and _is_error(gone, route):
        return [Sign(Drift(cause=Cause.ERROR_BODY), max(sign.decades for sign in gone))]
    new = [path for path in shape.fields if path not in route.fields and path]
    explained = [_renamed(sign, new, route, shape) for sign in found]
    return _swapped(explained, route, shape)


def _is_error(gone: list[Sign], route: Route) -> bool:
    """What held the rows is gone from the top."""
    tops = {sign.drift.field for sign in gone if sign.drift.field and "." not in sign.drift.field}
    return any(path.startswith((f"{top}.", f"{top}[]")) for top in tops for path in route.fields)


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
        if _place(one) == _place(two) and _fits(one, two, route, shape):
            swapped = Drift(cause=Cause.SWAPPED, field=one.drift.field, other=two.drift.field)
            rest = [sign for sign in found if sign not in {one, two}]
            return [Sign(swapped, one.decades + two.decades), *rest]
    return found


def _place(sign: Sign) -> str:
    return (sign.drift.field or "").rpartition(".")[0]


_ODD = {Cause.TYPE, Cause.TIME_FORMAT, Cause.TIME_UNIT, Cause.CUT, Cause.GROWN, Cause.HTML}


def _fits(one: Sign, two: Sign, route: Route, shape: Shape) -> bool:
    if {one.drift.cause, two.drift.cause} == {Cause.CUT, Cause.GROWN}:
        return True
    first, second = one.drift.field or "", two.drift.field or ""
    return _is_usual(shape.fields[first], route.fields[second]) and _is_usual(shape.fields[second], route.fields[first])


def _is_usual(values: Values, field: Field) -> bool:
    """Whether these values would be at home in that field."""
    return all(field.kinds.get(kind, 0.0) >= RARE * field.present for kind in values.kinds)
