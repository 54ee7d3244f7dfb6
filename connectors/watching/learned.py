"""What was learned of a source: the shape of its answers, counted, and slowly forgotten. Pure.

Everything is kept as counts of rows and of readings, so that what is judged is a rate and never a single memory.
"""

from __future__ import annotations

import math

import msgspec

from connectors.watching.rhythm import Rhythm
from connectors.watching.shape import Shape
from connectors.watching.values import Values

#: Rows and readings after which everything counts half: old habits fade, and one day teaches little.
MOST_ROWS = 4000.0
MOST_READINGS = 400.0
FEW_ROWS = 200
FORGOTTEN = 0.3
ROUTES = 8
KINDS = 10  #: of one field
FACTS = 6
BUCKETS = 26  #: of lengths: half a power of two each


class Field(msgspec.Struct):
    """One field of one route."""

    readings: float = 0.0  #: in which an object could have held it
    held: float = 0.0  #: in which one did
    rows: float = 0.0  #: objects that could have held it
    present: float = 0.0
    kinds: dict[str, float] = {}
    lengths: list[float] = msgspec.field(default_factory=lambda: [0.0] * BUCKETS)
    tags: float = 0.0
    lost: float = 0.0
    future: float = 0.0
    twice: float = 0.0  #: readings in which a list held rows more than once
    up: float = 0.0
    down: float = 0.0


class Route(msgspec.Struct):
    """One kind of question to a source, such as its list or its details."""

    readings: float = 0.0
    days: int = 0  #: on which it was read
    day: str = ""
    fields: dict[str, Field] = {}
    facts: dict[str, dict[str, float]] = {}  #: readings in which an answer was so


class Suspicion(msgspec.Struct):
    """Something unusual that the last readings showed."""

    decades: float  #: how unlikely it is, as a power of ten
    readings: int
    body: str  #: a digest of what showed it: the same page again is no new evidence


class Learned(msgspec.Struct):
    """All that is known of a source's ways."""

    readings: int = 0
    routes: dict[str, Route] = {}
    habits: dict[str, float] = {}  #: what looked strange and turned out to be usual, in readings
    suspicions: dict[str, Suspicion] = {}
    #: ids lately seen: digests of what they were, and their times
    ids: dict[str, Remembered] = {}
    bodies: str = ""  #: the digest of the last reading's answers
    looked: str = ""  #: of a source that is pushed to us: the last page that was looked at
    rhythm: Rhythm = msgspec.field(default_factory=Rhythm)


class Remembered(msgspec.Struct, frozen=True):
    """One item as it was seen lately; digests and times, no words."""

    parts: tuple[str, ...]
    times: dict[str, float]


def learn(learned: Learned, shapes: dict[str, Shape], day: str) -> None:
    """Take in a reading that was found well."""
    learned.readings += 1
    for name, shape in shapes.items():
        route = _route(learned, name)
        route.readings += 1
        if route.day != day:
            route.day, route.days = day, route.days + 1
        for fact, values in shape.facts.items():
            known = route.facts.setdefault(fact, {})
            for value in values:
                if value in known or len(known) < FACTS:
                    known[value] = known.get(value, 0.0) + 1
        for path, values_ in shape.fields.items():
            learn_field(route.fields.setdefault(path, Field()), values_, rows_of(shape, path))
        for path, field in route.fields.items():
            rows = rows_of(shape, path)
            if path not in shape.fields and rows:
                field.rows += rows
                field.readings += 1
        _fade(route)
    if learned.readings % int(MOST_READINGS) == 0:
        learned.habits = {key: times / 2 for key, times in learned.habits.items() if times > FORGOTTEN}


def rows_of(shape: Shape, path: str) -> int:
    """How many objects could have held this field."""
    if path.endswith("[]") or path == "":
        return shape.fields[path].seen if path in shape.fields else 0
    return shape.objects.get(path.rpartition(".")[0], 0)


def learn_field(field: Field, values: Values, rows: int) -> None:
    """Add one reading's values."""
    field.readings += 1
    field.held += values.present > 0
    field.rows += rows
    field.present += values.present
    for kind, count in values.kinds.items():
        if kind in field.kinds or len(field.kinds) < KINDS:
            field.kinds[kind] = field.kinds.get(kind, 0.0) + count
    for length in values.lengths:
        field.lengths[bucket(length)] += 1
    field.tags += values.tags
    field.lost += values.lost
    field.future += values.future
    field.twice += values.twice > 0
    field.up += values.up
    field.down += values.down


def bucket(length: int) -> int:
    """Two buckets a power of two."""
    return min(int(2 * math.log2(length + 1)), BUCKETS - 1)


def _route(learned: Learned, name: str) -> Route:
    if name not in learned.routes and len(learned.routes) >= ROUTES:
        rarest = min(learned.routes, key=lambda each: learned.routes[each].readings)
        if learned.routes[rarest].readings > 1:
            return Route()  # a source with more kinds of questions than that: the first ones stand for it
        del learned.routes[rarest]
    return learned.routes.setdefault(name, Route())


def _fade(route: Route) -> None:
    if route.readings > MOST_READINGS:
        route.readings /= 2
        for values in route.facts.values():
            for value in values:
                values[value] /= 2
    for path in [
        path for path, field in route.fields.items() if field.rows > FEW_ROWS and field.present < 0.01 * field.rows
    ]:
        # It stood there once: whatever holds nothing now is learned anew when it comes back.
        del route.fields[path]
    for field in route.fields.values():
        if field.rows > MOST_ROWS:
            _halve(field)


def _halve(field: Field) -> None:
    for name in ("readings", "held", "rows", "present", "tags", "lost", "future", "twice", "up", "down"):
        setattr(field, name, getattr(field, name) / 2)
    field.kinds = {kind: count / 2 for kind, count in field.kinds.items() if count >= 1}
    field.lengths = [count / 2 for count in field.lengths]
