"""The plain names that a line of `intake normalize` and a row of an imported file share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Engagement, Given, Thread
from normalizer.draft import Draft
from normalizer.mappers.reading import (
    count_in,
    count_of,
    location_of,
    moment_of,
    says_yes,
    sex_of,
    text_in,
    text_of,
    words_in,
    words_of,
)

#: A finer code of the channel is a word of ours, not of the citizen.
_CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SPOKEN_WITH = ("hotline", "mailbox", "app", "visit", "counter", "grid", "petition", "transfer")
CHANNELS = frozenset({*_SPOKEN_WITH, "forum", "board", "news_comment", "other"})

#: What nearly every line has; only a row with more than these is asked for the rest.
_USUAL = frozenset(
    [
        "native_id",
        "title",
        "text",
        "posted_at",
        "author",
        "phone",
        "address",
        "url",
        "channel",
        "likes",
        "dislikes",
        "_row",
    ]
)


def draft_of(row: Mapping[str, Any], raw: RawAppeal) -> Draft:
    """Read every plain name that is there."""
    get = row.get
    title, channel, posted = text_in(get("title")), get("channel"), get("posted_at")
    draft = Draft(
        title,
        text_in(get("text")) or title,
        channel if isinstance(channel, str) and channel in CHANNELS else raw.channel,
    )
    draft.url = words_in(get("url"))
    draft.posted_at = moment_of(posted, raw.zone)
    draft.address = words_in(get("address"))
    draft.author_name = draft.author_id = words_in(get("author"))
    draft.phone = words_in(get("phone"))
    likes, dislikes = count_in(get("likes")) or 0, count_in(get("dislikes")) or 0
    if likes or dislikes:
        draft.engagement = Engagement(likes=likes, dislikes=dislikes)
    if posted and draft.posted_at is None:
        draft.notes.append("posted_at_unread")
    if not row.keys() <= _USUAL or raw.context:
        _read_rest(draft, row, raw)
    return draft


def _read_rest(draft: Draft, row: Mapping[str, Any], raw: RawAppeal) -> None:
    """Read what few sources have."""
    get = row.get
    detail = words_in(get("channel_detail"))
    draft.channel_detail = detail if detail and _CODE.fullmatch(detail) else None
    draft.occurred_at = moment_of(get("occurred_at"), raw.zone)
    draft.address = draft.address or words_in(get("place"))
    draft.location = location_of(words_in(get("location")))
    draft.author_name = draft.author_name or words_in(get("name"))
    draft.author_id = words_in(get("author_id")) or draft.author_id
    draft.sex = sex_of(words_in(get("sex")))
    draft.phone = draft.phone or words_in(get("mobile"))
    draft.mail = words_of(row, "mail", "email")
    draft.type_given = words_of(row, "request_type", "type")
    draft.secret = says_yes(get("secret"))
    draft.light = words_in(get("urgency"))
    draft.given = _given(row, raw.source)
    draft.handler = words_of(row, "handler", "department")
    draft.sent_back = count_of(row, "sent_back")
    draft.subject_entity = words_in(get("subject_entity"))
    draft.reply_text = text_of(row, "reply", "official_reply") or None
    draft.reply_by = words_in(get("reply_by"))
    draft.reply_at = moment_of(get("reply_at"), raw.zone)
    draft.engagement = Engagement(
        likes=count_of(row, "likes"),
        dislikes=count_of(row, "dislikes"),
        replies=count_of(row, "replies"),
        views=count_of(row, "views"),
    )
    draft.thread = Thread(
        root=words_in(get("root")),
        parent=words_in(get("parent")),
        about=words_in(get("about")) or raw.context.get("about"),
    )


def _given(row: Mapping[str, Any], source: str) -> Given | None:
    """Keep the source's own class: a name, or one of our codes."""
    name = words_of(row, "category", "category_name", "label")
    code = words_of(row, "category_code")
    return Given(scheme=source, code=code, name=name) if name or code else None
