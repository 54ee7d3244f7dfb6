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
    return Draft(
        title="" if text_of(row, "description") else name or "",
        text=text_of(row, "description") or name or "",
        channel=raw.channel,
        channel_detail="open311",
        posted_at=received_at(raw),
        address=words_of(row, "address_string"),
        location=location_of(f"{longitude},{latitude}") if latitude and longitude else None,
        author_name=_name(row),
        author_id=words_of(row, "account_id", "device_id"),
        phone=words_of(row, "phone"),
        mail=words_of(row, "email"),
        given=Given(scheme=raw.source, code=code) if code else None,
        attachments=[*kept(row), *([Attachment(id="media_url", url=link, kind="image")] if link else [])],
    )


def _name(row: Mapping[str, Any]) -> str | None:
    """First and last name: a Chinese one has its surname first and no blank."""
    first, last = words_of(row, "first_name") or "", words_of(row, "last_name") or ""
    name = f"{first} {last}" if (first + last).isascii() else f"{last}{first}"
    return name.strip() or None
