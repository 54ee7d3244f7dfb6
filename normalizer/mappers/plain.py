"""The plain names that a line of `intake normalize` and a row of an imported file share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Engagement, Given, Thread
from normalizer.draft import Draft
from normalizer.mappers.reading import (
    count_of,
    location_of,
    moment_of,
    says_yes,
    sex_of,
    text_of,
    words_of,
)

CHANNELS = frozenset("hotline forum board news_comment mailbox app visit counter grid petition transfer other".split())


def draft_of(row: Mapping[str, Any], raw: RawAppeal) -> Draft:
    """Read every plain name that is there."""
    channel = row.get("channel")
    posted = row.get("posted_at")
    draft = Draft(
        title=text_of(row, "title"),
        text=text_of(row, "text", "title"),
        channel=channel if isinstance(channel, str) and channel in CHANNELS else raw.channel,
        channel_detail=words_of(row, "channel_detail"),
        url=words_of(row, "url"),
        posted_at=moment_of(posted, raw.zone),
        occurred_at=moment_of(row.get("occurred_at"), raw.zone),
        address=words_of(row, "address", "place"),
        location=location_of(words_of(row, "location")),
        author_name=words_of(row, "author", "name"),
        author_id=words_of(row, "author_id", "author"),
        sex=sex_of(words_of(row, "sex")),
        phone=words_of(row, "phone", "mobile"),
        mail=words_of(row, "mail", "email"),
        type_given=words_of(row, "request_type", "type"),
        secret=says_yes(row.get("secret")),
        light=words_of(row, "urgency"),
        given=_given(row, raw.source),
        handler=words_of(row, "handler", "department"),
        subject_entity=words_of(row, "subject_entity"),
        reply_text=text_of(row, "reply", "official_reply") or None,
        reply_by=words_of(row, "reply_by"),
        reply_at=moment_of(row.get("reply_at"), raw.zone),
        engagement=Engagement(
            likes=count_of(row, "likes"),
            dislikes=count_of(row, "dislikes"),
            replies=count_of(row, "replies"),
            views=count_of(row, "views"),
        ),
        thread=Thread(
            root=words_of(row, "root"),
            parent=words_of(row, "parent"),
            about=words_of(row, "about") or raw.context.get("about"),
        ),
    )
    if posted and draft.posted_at is None:
        draft.notes.append("posted_at_unread")
    return draft


def _given(row: Mapping[str, Any], source: str) -> Given | None:
    """Keep the source's own class: a name, or one of our codes."""
    name = words_of(row, "category", "category_name", "label")
    code = words_of(row, "category_code")
    return Given(scheme=source, code=code, name=name) if name or code else None
