"""A post of a Discuz forum: every value is a string, `dbdateline` is epoch seconds, `message` is HTML with tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment, Engagement, Thread
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.reading import count_of, moment_of, payload_of, text_of, words_of

_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
}


def read(raw: RawAppeal) -> Draft:
    """Map a first post or a reply."""
    row = payload_of(raw.payload)
    post = row["post"] if isinstance(row.get("post"), dict) else row
    thread = row["thread"] if isinstance(row.get("thread"), dict) else {}
    context = raw.context
    text = text_of(post, "message")
    first = text_of(post, "first") != "0"
    title = (text_of(post, "subject") or text_of(thread, "subject") or context.get("subject", "")) if first else ""
    if not text.strip() and not title.strip():
        raise Unmappable("the post has neither subject nor message")
    root = words_of(post, "tid") or words_of(thread, "tid") or context.get("tid")
    author = words_of(post, "authorid")
    draft = Draft(title, text or title, raw.channel)
    draft.url = words_of(post, "url") or context.get("url")
    draft.posted_at = moment_of(words_of(post, "dbdateline") or words_of(thread, "dbdateline"), raw.zone)
    draft.author_name = words_of(post, "author", "username")
    draft.author_id = author if author not in (None, "0") else None
    draft.engagement = Engagement(
        likes=count_of(post, "support", "recommend_add") or count_of(thread, "recommend_add"),
        dislikes=count_of(post, "against", "recommend_sub"),
        replies=count_of(thread, "replies") or count_of(post, "replies"),
        views=count_of(thread, "views") or count_of(post, "views"),
    )
    draft.thread = Thread(
        root=f"t{root}" if root and not first else None,
        parent=f"t{root}" if root and not first else None,
        about=context.get("about") or (None if first else context.get("subject") or words_of(thread, "subject")),
    )
    draft.attachments = _attachments(post.get("attachments"))
    return draft


def _attachments(found: object) -> list[Attachment]:
    """Read `attachments`, which is an object by id, or a list when it is empty."""
    rows: list[Mapping[str, Any]] = []
    if isinstance(found, dict):
        rows = [row for row in found.values() if isinstance(row, dict)]
    elif isinstance(found, list):
        rows = [row for row in found if isinstance(row, dict)]
    return [
        Attachment(
            id=words_of(row, "aid") or str(number),
            name=words_of(row, "filename"),
            media_type=_TYPES.get((words_of(row, "ext") or "").lower()),
            url=words_of(row, "url", "attachment"),
        )
        for number, row in enumerate(rows, start=1)
    ]
