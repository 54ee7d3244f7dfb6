"""An entry of a feed (RSS, Atom, JSON Feed), as connectors/channels/feed.py laid it out: one shape for the three."""

from __future__ import annotations

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment, Engagement, Given, Thread
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.reading import count_of, moment_of, payload_of, text_of, words_of


def read(raw: RawAppeal) -> Draft:
    """Map one entry."""
    row = payload_of(raw.payload)
    title = text_of(row, "title")
    text = text_of(row, "content", "text", "summary")
    if not text.strip() and not title.strip():
        raise Unmappable("the entry has neither title nor text")
    author = words_of(row, "author")
    categories = row.get("categories")
    tag = (
        next((one for one in categories if isinstance(one, str) and one), None)
        if isinstance(categories, list)
        else None
    )
    draft = Draft(title, text or title, raw.channel)
    draft.url = words_of(row, "link", "url")
    draft.posted_at = moment_of(row.get("published") or row.get("updated"), raw.zone)
    draft.author_name = author
    draft.author_id = author
    draft.given = Given(scheme=raw.source, name=tag) if tag else None
    draft.engagement = Engagement(
        likes=count_of(row, "likes"), replies=count_of(row, "replies", "comments"), views=count_of(row, "views")
    )
    draft.thread = Thread(about=raw.context.get("about") or None)
    draft.attachments = _attachments(row.get("attachments"))
    return draft


def _attachments(found: object) -> list[Attachment]:
    """Read the enclosures: their addresses are their ids."""
    urls = [url for url in found if isinstance(url, str)] if isinstance(found, list) else []
    return [Attachment(id=str(number), url=url) for number, url in enumerate(urls, start=1)]
