"""An entry of a feed (RSS, Atom, JSON Feed), as connectors/feed.py laid it out: one shape for the three."""

from __future__ import annotations

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Engagement, Thread
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.reading import count_of, moment_of, payload_of, text_of, words_of


def read(raw: RawAppeal) -> Draft:
    """Map one entry."""
    row = payload_of(raw.payload)
    title = text_of(row, "title")
    text = text_of(row, "text", "content_html", "content", "content_text", "description", "summary")
    if not text.strip() and not title.strip():
        raise Unmappable("the entry has neither title nor text")
    author = row.get("author")
    return Draft(
        title=title,
        text=text or title,
        channel=raw.channel,
        url=words_of(row, "url", "link"),
        posted_at=moment_of(row.get("published") or row.get("date_published") or row.get("posted_at"), raw.zone),
        author_name=words_of(author, "name") if isinstance(author, dict) else words_of(row, "author"),
        author_id=words_of(author, "uri", "url", "name") if isinstance(author, dict) else words_of(row, "author"),
        engagement=Engagement(
            likes=count_of(row, "likes"), replies=count_of(row, "replies", "comments"), views=count_of(row, "views")
        ),
        thread=Thread(about=raw.context.get("about") or None),
    )
