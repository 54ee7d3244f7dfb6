"""A comment under the news by Waline: `time` is epoch milliseconds, `comment` HTML, the article in the context."""

from __future__ import annotations

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Engagement, Thread
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.reading import count_of, moment_of, payload_of, text_of, words_of


def read(raw: RawAppeal) -> Draft:
    """Map one comment; it has no title of its own."""
    row = payload_of(raw.payload)
    text = text_of(row, "comment", "orig")
    if not text.strip():
        raise Unmappable("the comment is empty")
    children = row.get("children")
    draft = Draft("", text, raw.channel)
    draft.url = row.get("url") if isinstance(row.get("url"), str) else raw.context.get("url")
    draft.posted_at = moment_of(row.get("time") or row.get("insertedAt") or row.get("createdAt"), raw.zone)
    draft.author_name = words_of(row, "nick")
    draft.author_id = words_of(row, "user_id", "mail")
    draft.mail = words_of(row, "mail")
    draft.engagement = Engagement(
        likes=count_of(row, "like"), replies=len(children) if isinstance(children, list) else 0
    )
    draft.thread = Thread(
        root=words_of(row, "rid"),
        parent=words_of(row, "pid"),
        about=raw.context.get("about") or raw.context.get("title") or raw.context.get("path"),
    )
    return draft
