"""An appeal from a mini-program or an app (小程序、客户端): the plain names, with pictures that are kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment
from normalizer.draft import Draft
from normalizer.mappers.plain import draft_of
from normalizer.mappers.reading import count_of, payload_of, words_of


def read(raw: RawAppeal) -> Draft:
    """Map one."""
    row = payload_of(raw.payload)
    draft = draft_of(row, raw)
    draft.attachments = kept(row)
    return draft


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
