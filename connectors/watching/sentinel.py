"""START HERE. A reading is judged by what was learned of its source, and learned from if it was well. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from connectors.errors import AccessDenied, ConnectorError, StopSource
from connectors.watching.causes import Cause, Drift
from connectors.watching.judge import judge
from connectors.watching.learned import Learned
from connectors.watching.reading import ROWS, Reading
from connectors.watching.rhythm import SHANGHAI, DayKindOf, count, silence
from connectors.watching.signs import Sign


class Verdict(msgspec.Struct, frozen=True):
    """What a reading showed."""

    drifts: tuple[Drift, ...] = ()  #: the source has changed
    suspected: bool = False  #: it may have: its pages are kept until the next reading tells
    learned: bool = False  #: something new was learned


WELL = Verdict()


def judge_reading(learned: Learned, reading: Reading, *, fresh: int, now: datetime, day_kind: DayKindOf) -> Verdict:
    """Judge a reading that ended; `fresh` is how much of it was new or changed."""
    count(learned.rhythm, fresh, now, day_kind)
    quiet = _silence(learned, now, day_kind)
    body = reading.body
    if body == learned.bodies and not quiet:
        return WELL  # the same bytes as last time, and they were well: nothing to learn, nothing to judge
    shapes = reading.shapes(learned, now)
    found = reading.strange(learned, shapes)
    drifts = (*judge(learned, found, body), *quiet)
    if drifts or learned.suspicions:
        return Verdict(drifts, suspected=True)
    reading.learn(learned, shapes, f"{now.astimezone(SHANGHAI):%Y-%m-%d}")
    learned.bodies = body
    return Verdict(learned=True)


def judge_quiet(learned: Learned, now: datetime, day_kind: DayKindOf) -> Verdict:
    """Judge that nothing came, where nobody asks: from a source that is pushed to us."""
    count(learned.rhythm, 0, now, day_kind)
    return Verdict(_silence(learned, now, day_kind))


def judge_failure(learned: Learned, reading: Reading, error: ConnectorError, *, now: datetime) -> tuple[Drift, ...]:
    """Say why a reading broke off: what is strange about the answers, or what the connector says of them."""
    found = reading.strange(learned, reading.shapes(learned, now))
    if not reading.pages:
        found = [sign for sign in found if sign.drift.route != ROWS]  # nothing came so far that they could be rows of
    if not isinstance(error, StopSource):
        # Whoever says that it is not ready may be so; who says it twice in the same strange way has changed.
        return tuple(judge(learned, [msgspec.structs.replace(sign, at_once=False) for sign in found], reading.body))
    surely = [sign for sign in found if sign.at_once] or _strongest(found)
    drifts = list(dict.fromkeys(sign.drift for sign in surely))
    if isinstance(error, AccessDenied) and not any(drift.cause is Cause.LOG_IN for drift in drifts):
        drifts.insert(0, Drift(cause=Cause.LOG_IN if reading.ends_at_a_log_in else Cause.REFUSED))
    elif all(drift.cause is Cause.ENCODING for drift in drifts):
        # No connector stops for that: it is how the page looks that took the place of the data.
        drifts.insert(0, Drift(cause=Cause.FORMAT))
    return tuple(drifts)


def adopt(learned: Learned, drifts: tuple[Drift, ...]) -> None:
    """Forget what these contradict: from now on the source is learned as it is."""
    for drift in drifts:
        if drift.cause is Cause.SILENT:
            learned.rhythm.quiet_since, learned.rhythm.hours = None, {}
        route = learned.routes.get(drift.route or "")
        if route is None:
            continue
        for field in (drift.field, drift.other):
            route.fields.pop(field or "", None)
        if drift.field is None:
            route.facts.clear()
        if drift.cause is Cause.ERROR_BODY:
            del learned.routes[drift.route or ""]
    learned.suspicions.clear()
    learned.ids.clear()
    learned.bodies = ""


def _strongest(found: list[Sign]) -> list[Sign]:
    return sorted(found, key=lambda sign: -sign.decades)[:5]


def _silence(learned: Learned, now: datetime, day_kind: DayKindOf) -> tuple[Drift, ...]:
    quiet = silence(learned.rhythm, now, day_kind)
    if quiet is None:
        return ()
    long = timedelta(minutes=round((now - quiet.since) / timedelta(minutes=1)))
    return (Drift(cause=Cause.SILENT, other=str(long)[:-3], was=f"{quiet.expected:.0f}"),)
