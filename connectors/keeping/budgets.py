"""The part `budget` of the collection `sources`: slots, places, rests and breakers, all by the database's clock.

Each source has one document, so that each of these writes is atomic for all workers and backfills together:

- `next_at`: where the next slot begins; it only moves forward, and nothing that was reserved is given back.
- `places`: who may have a request under way, and until when (a dead worker's place lapses).
- `rest_until`, `rest_reason`: the source asked for patience (Retry-After).
- `failures`, `open_until`, `opens`, `probe_until`: the breaker. Open: nothing is asked. After `open_until` one request
  is let through (half-open); a good answer closes it, a bad one opens it for twice as long.
- `wanted`: someone waits for the place; its holder lets go after its turn. `share_at`: when a backfill may ask again.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument

from connectors.asking.budget import HOLD, SHORT_WAIT, WANTED, Refused, Slots, Terms, Verdict

FAILURES = 6  #: in a row, until the breaker opens
FIRST_OPEN = 10.0  #: seconds
LONGEST_OPEN = 1800.0
AHEAD = 0.2  #: seconds before its slot that a place may be taken
MARGIN = 0.05  #: seconds behind a rest: two clocks never run alike

_NOW = "$$NOW"


class BudgetStore:
    """Few round trips: one for a turn of requests, one to let go, none while nothing is asked."""

    def __init__(self, collection: Any) -> None:  # noqa: ANN401  motor ships no types
        self._sources = collection

    async def take(self, terms: Terms, place: str, count: int) -> Slots | Refused:
        """Let go of this place, and reserve it anew with so many slots if nothing is in the way."""
        before = time.monotonic()
        document = await self._sources.find_one_and_update(
            {"_id": terms.source},
            [{"$set": {"budget": {"$cond": [_may(terms, place), _taken(terms, place, count), _left(place)]}}}],
            projection={"budget": 1, "now": _NOW},
            return_document=ReturnDocument.AFTER,
        )
        after = time.monotonic()
        if document is None:
            return Refused(30.0, f"source {terms.source} is not known to the store")
        budget = document["budget"]
        now = document["now"]
        mine = next((each for each in budget["places"] if each["id"] == place), None)
        if mine is None:
            return _why_not(terms, budget, now)
        # Known is that the database said `now` between `before` and `after`: the later is the safe guess.
        first = after + (mine["at"] - now).total_seconds()
        return Slots(
            moments=tuple(first + number * terms.pause for number in range(mine["count"])),
            delay=after - before,
            troubled=bool(budget.get("failures") or budget.get("open_until")),
        )

    async def want(self, terms: Terms, place: str) -> None:
        """Ask whoever holds the place to let it go after its turn; one with a lower share only when it is its turn."""
        mine: dict[str, Any] = {"_id": terms.source}
        if terms.share < 1:
            mine["$expr"] = {"$lte": [{"$ifNull": ["$budget.share_at", _NOW]}, _NOW]}
        wish = {"by": {"$literal": place}, "until": _later(WANTED)}
        await self._sources.update_one(mine, [{"$set": {"budget.wanted": wish}}])

    async def hold(self, terms: Terms, place: str) -> None:
        """Keep a place while its answer takes long; one that lapsed may be another's by now."""
        kept = {
            "$cond": [
                {"$and": [{"$eq": ["$$each.id", {"$literal": place}]}, {"$gt": ["$$each.until", _NOW]}]},
                {"$mergeObjects": ["$$each", {"until": _later(HOLD)}]},
                "$$each",
            ]
        }
        places = {"$map": {"input": {"$ifNull": ["$budget.places", []]}, "as": "each", "in": kept}}
        fields: dict[str, Any] = {"budget.places": places}
        if terms.share < 1:  # it pays for the time that it holds the place, too
            fields["budget.share_at"] = _later(HOLD / terms.share)
        await self._sources.update_one({"_id": terms.source}, [{"$set": fields}])

    async def end(self, terms: Terms, places: list[str], verdict: Verdict, rest: float) -> None:
        """Let go, and write down what the source's answer means for everyone."""
        fields: dict[str, Any] = {"budget.places": _places_without(places)}
        if verdict is Verdict.WELL:
            fields |= {"budget.failures": 0, "budget.opens": 0, "budget.open_until": None, "budget.probe_until": None}
        elif verdict is Verdict.DOWN:
            fields |= _down()
        if rest > 0:
            until = {"$max": ["$budget.rest_until", _later(rest + MARGIN)]}
            said = f"source {terms.source} asked for {rest:.0f} s of patience"
            fields |= {"budget.rest_until": until, "budget.rest_reason": {"$literal": said}}
        await self._sources.update_one({"_id": terms.source}, [{"$set": fields}])


def _may(terms: Terms, place: str) -> dict[str, Any]:
    """Nothing is in the way: the slot is near, a place is free, no rest, no open breaker, nobody whose turn it is."""
    wanted_by_another = {
        "$and": [
            {"$gt": ["$budget.wanted.until", _NOW]},
            {"$ne": ["$budget.wanted.by", {"$literal": place}]},
            # Whoever comes anew need not step back; one who holds the place does, and so does a backfill.
            {"$in": [{"$literal": place}, {"$ifNull": ["$budget.places.id", []]}]} if terms.share == 1 else True,
        ]
    }
    probing = {"$gt": ["$budget.probe_until", _NOW]}
    open_ = {"$ne": [{"$ifNull": ["$budget.open_until", None]}, None]}
    conditions = [
        {"$lte": [_start(), _later(AHEAD)]},
        {"$lt": [{"$size": _places_without([place])}, terms.concurrency]},
        {"$not": [{"$gt": ["$budget.rest_until", _NOW]}]},
        {"$not": [{"$gt": ["$budget.open_until", _NOW]}]},
        {"$not": [{"$and": [open_, probing]}]},
        {"$not": [wanted_by_another]},
    ]
    if terms.share < 1:
        conditions.append({"$not": [{"$gt": ["$budget.share_at", _NOW]}]})
    return {"$and": conditions}


def _taken(terms: Terms, place: str, count: int) -> dict[str, Any]:
    """The budget after this reservation. While the breaker is half-open one request is let through."""
    half_open = {"$ne": [{"$ifNull": ["$budget.open_until", None]}, None]}
    slots = {"$cond": [half_open, 1, count]}
    end = {"$add": [_start(), {"$ceil": {"$multiply": [slots, terms.pause * 1000]}}]}
    mine = {
        "id": {"$literal": place}, "at": _start(), "count": slots, "until": {"$add": [end, int(HOLD * 1000)]},
    }  # fmt: skip
    wanted = {"$cond": [{"$eq": ["$budget.wanted.by", {"$literal": place}]}, None, "$budget.wanted"]}
    fields: dict[str, Any] = {
        "next_at": end,
        "places": {"$concatArrays": [_places_without([place]), [mine]]},
        "probe_until": {"$cond": [half_open, _later(HOLD), None]},
        "wanted": {"$ifNull": [wanted, None]},
    }
    if terms.share < 1:
        fields["share_at"] = {"$add": [_start(), terms.pause * 1000 / terms.share]}
    return {"$mergeObjects": ["$budget", fields]}


def _left(place: str) -> dict[str, Any]:
    return {"$mergeObjects": ["$budget", {"places": _places_without([place])}]}


def _places_without(places: list[str]) -> dict[str, Any]:
    """Those of others that have not lapsed."""
    others = {"$and": [{"$gt": ["$$each.until", _NOW]}, {"$not": [{"$in": ["$$each.id", {"$literal": places}]}]}]}
    return {"$filter": {"input": {"$ifNull": ["$budget.places", []]}, "as": "each", "cond": others}}


def _down() -> dict[str, Any]:
    """One more failure; too many, or the probe's, open the breaker, each time for twice as long (with jitter)."""
    failures = {"$add": [{"$ifNull": ["$budget.failures", 0]}, 1]}
    was_open = {"$ne": [{"$ifNull": ["$budget.open_until", None]}, None]}
    opens = {"$or": [was_open, {"$gte": [failures, FAILURES]}]}
    count = {"$min": [{"$ifNull": ["$budget.opens", 0]}, 20]}
    seconds = {"$min": [{"$multiply": [FIRST_OPEN, {"$pow": [2, count]}]}, LONGEST_OPEN]}
    jitter = random.uniform(1.0, 1.25)  # noqa: S311  sources that failed together should not be asked together
    until = {"$add": [_NOW, {"$ceil": {"$multiply": [seconds, 1000 * jitter]}}]}
    return {
        "budget.failures": failures,
        "budget.open_until": {"$cond": [opens, until, None]},
        "budget.opens": {"$cond": [opens, {"$add": [count, 1]}, 0]},
        "budget.probe_until": None,
    }


def _why_not(terms: Terms, budget: dict[str, Any], now: datetime) -> Refused:
    """The longest of what is in the way."""

    def left(name: str) -> float:
        moment: datetime | None = budget.get(name)
        return 0.0 if moment is None else (moment - now).total_seconds()

    rest, open_ = left("rest_until"), left("open_until")
    if rest > 0 and rest >= open_:
        return Refused(rest, f"{budget['rest_reason']}; it is asked again at {_clock(budget['rest_until'])} UTC")
    if open_ > 0:
        said = f"source {terms.source} failed {budget['failures']} times in a row and is left alone"
        return Refused(open_, f"{said}; one request tries it at {_clock(budget['open_until'])} UTC")
    waits = [left("next_at") - AHEAD, left("share_at") if terms.share < 1 else 0.0]
    taken = len(budget["places"]) >= terms.concurrency
    return Refused(min(max(0.0, *waits), SHORT_WAIT), taken=taken)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S}"


def _start() -> dict[str, Any]:
    return {"$max": ["$budget.next_at", _NOW]}


def _later(seconds: float) -> dict[str, Any]:
    return {"$add": [_NOW, int(seconds * 1000)]}
