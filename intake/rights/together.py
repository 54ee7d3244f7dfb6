"""What is seen together with an item, so that a look at one is a line of the others too."""

from __future__ import annotations

from intake.house import Database
from normalizer.appeal import appeal_of


async def with_news(db: Database, ids: list[str]) -> list[str]:
    """Name these and the carried cases whose new text stands in the messages of these (并单后的新内容)."""
    news = {"events": {"$elemMatch": {"kind": "updated", "data.case": {"$exists": True}}}}
    rows = db.cases.find({"_id": {"$in": ids}, **news}, {"events.kind": 1, "events.data.case": 1})
    events = [event async for row in rows for event in row["events"] if event["kind"] == "updated"]
    carried = [event["data"]["case"] for event in events if "case" in event.get("data", {})]
    return list(dict.fromkeys([*ids, *carried]))


async def with_parts(db: Database, ids: list[str]) -> list[str]:
    """Name these and the other requests of their messages (一条多诉)."""
    appeals = [appeal_of(id_) for id_ in ids]
    several = db.appeals.find({"_id": {"$in": appeals}, "links.same_message.0": {"$exists": True}}, {"links": 1})
    others = [id_ async for row in several for id_ in row["links"]["same_message"]]
    return list(dict.fromkeys([*ids, *others]))
