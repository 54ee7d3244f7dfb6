"""A request of an Open311 server (GeoReport v2): all values are text; its agency is the 承办单位, the notes a reply."""

from __future__ import annotations

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment, Given
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.reading import location_of, moment_of, payload_of, text_of, words_of


def read(raw: RawAppeal) -> Draft:
    """Map one request; one without a description says what it is about by its service alone."""
    row = payload_of(raw.payload)
    service, text = words_of(row, "service_name"), text_of(row, "description")
    if not text.strip() and not service:
        raise Unmappable("the request has neither description nor service_name")
    code, latitude, longitude = words_of(row, "service_code"), words_of(row, "lat"), words_of(row, "long")
    media, agency = words_of(row, "media_url"), words_of(row, "agency_responsible")
    reply = text_of(row, "status_notes") or None
    draft = Draft(service or "", text or service or "", raw.channel)
    draft.posted_at = moment_of(row.get("requested_datetime"), raw.zone)
    draft.address = words_of(row, "address")
    draft.location = location_of(f"{longitude},{latitude}") if latitude and longitude else None
    draft.given = Given(scheme=raw.source, code=code, name=service) if code or service else None
    draft.handler = agency
    draft.reply_text = reply
    draft.reply_by = agency if reply else None
    draft.reply_at = moment_of(row.get("updated_datetime"), raw.zone) if reply else None
    draft.attachments = [Attachment(id="1", url=media)] if media else []
    return draft
