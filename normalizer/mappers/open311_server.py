"""A request posted to our Open311 endpoint (Open311 服务端): a form of the standard; its service is a class of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment, Given
from normalizer.draft import Draft
from normalizer.mappers.app_intake import kept, received_at
from normalizer.mappers.reading import location_of, payload_of, text_of, words_of


def read(raw: RawAppeal) -> Draft:
    """Map one; without a description its service alone says what it is about."""
    row = payload_of(raw.payload)
    code, name = words_of(row, "service_code"), words_of(row, "service_name")
    latitude, longitude = words_of(row, "lat"), words_of(row, "long")
    link = words_of(row, "media_url")
    text = text_of(row, "description")
    draft = Draft("" if text else name or "", text or name or "", raw.channel)
    draft.channel_detail = "open311"
    draft.posted_at = received_at(raw)
    draft.address = words_of(row, "address_string")
    draft.location = location_of(f"{longitude},{latitude}") if latitude and longitude else None
    draft.author_name = _name(row)
    draft.author_id = words_of(row, "account_id", "device_id")
    draft.phone = words_of(row, "phone")
    draft.mail = words_of(row, "email")
    draft.given = Given(scheme=raw.source, code=code) if code else None
    draft.attachments = [*kept(row), *([Attachment(id="media_url", url=link, kind="image")] if link else [])]
    return draft


def _name(row: Mapping[str, Any]) -> str | None:
    """First and last name: a Chinese one has its surname first and no blank."""
    first, last = words_of(row, "first_name") or "", words_of(row, "last_name") or ""
    name = f"{first} {last}" if (first + last).isascii() else f"{last}{first}"
    return name.strip() or None
