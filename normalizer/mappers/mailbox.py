"""A mail (信箱来信): its subject, its words without what is quoted below them, its author and its attachments."""

from __future__ import annotations

import re

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment, Thread
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.reading import moment_of, payload_of, text_of, words_of

#: Where what an answer quotes begins: everything below is somebody else's, and was read when it came.
_QUOTED = re.compile(
    r"\n[ \t>]*(?:"
    r"-{2,}[ ]*(?:原始邮件|原邮件|回复的原邮件|转发的?邮件信息|转发邮件|Original(?: Message)?|Forwarded message)"
    r"[ ]*-{2,}"
    r"|_{20,}\s*\n(?:发件人|From)"
    r"|(?:发件人|From)[:：][^\n]*\n(?:(?:[^\n]{0,200})\n){0,2}?(?:发送时间|日期|时间|Sent|Date)[:：]"
    r"|(?:在|于)?[ ]?\d{4}[年/-]\d{1,2}[月/-]\d{1,2}日?[^\n]{0,80}(?:写道|wrote)[:：]"
    r"|On [^\n]{10,120}\swrote:"
    r"|At \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, [^\n]{1,80}wrote:"
    r")[\s\S]*",
)
_QUOTED_LINES = re.compile(r"(?:\n>[^\n]*)+\s*$")
_PREFIX = re.compile(r"^(?:\s*(?:re|fw|fwd|回复|答复|转发|自动回复)\s*[:：])+\s*", re.IGNORECASE)


def read(raw: RawAppeal) -> Draft:
    """Map one mail."""
    row = payload_of(raw.payload)
    title, text = _PREFIX.sub("", text_of(row, "subject")), text_of(row, "text") or text_of(row, "html")
    if not text.strip() and not title.strip():
        raise Unmappable("the mail has neither subject nor text")
    parent = words_of(row, "in_reply_to")
    own = _own(text) if parent or _PREFIX.match(text_of(row, "subject")) else text
    address = words_of(row, "author_address")
    draft = Draft(title, own or title, raw.channel)
    draft.channel_detail = "email"
    draft.posted_at = moment_of(row.get("date"), raw.zone) or moment_of(row.get("received"), raw.zone)
    draft.author_name = words_of(row, "author")
    draft.author_id = address
    draft.mail = address
    draft.thread = Thread(root=words_of(row, "root"), parent=parent)
    draft.attachments = _attachments(row.get("attachments"))
    if own != text:
        draft.note("quoted_mail")
    return draft


def _own(text: str) -> str:
    """Cut what is quoted; a mail that is nothing else (a letter that was passed on) is kept whole."""
    own = _QUOTED_LINES.sub("", _QUOTED.sub("", f"\n{text}")).strip()
    return own or text


def _attachments(found: object) -> list[Attachment]:
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return [
        Attachment(
            id=words_of(row, "sha256") or str(number),
            name=words_of(row, "name"),
            media_type=words_of(row, "media_type"),
        )
        for number, row in enumerate(rows, start=1)
    ]
