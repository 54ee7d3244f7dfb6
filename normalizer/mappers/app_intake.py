"""An appeal from a mini-program or an app (小程序、客户端): the plain names, with pictures that are kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment, instant
from normalizer.draft import Draft
from normalizer.mappers.plain import draft_of
from normalizer.mappers.reading import count_of, payload_of, words_of


def read(raw: RawAppeal) -> Draft:
    """Map one."""
    row = payload_of(raw.payload)
    draft = draft_of(row, raw)
    draft.posted_at = received_at(raw)
    draft.attachments = kept(row)
    return draft


def received_at(raw: RawAppeal) -> str | None:
    """Tell when it was posted: when it came, since who sends it again sends the same."""
    return instant(raw.received_at) if raw.received_at is not None else None


def kept(row: Mapping[str, Any]) -> list[Attachment]:
    """Name what is kept beside an item."""
    told = row.get("attachments")
    return [
        Attachment(
            id=words_of(each, "id") or "",
            name=words_of(each, "name"),
            media_type=words_of(each, "media_type"),
            size=count_of(each, "size"),
            sha256=words_of(each, "sha256"),
            kind="image",
        )
        for each in (told if isinstance(told, list) else [])
        if isinstance(each, dict)
    ]
