"""A line given to `intake normalize`: at least `text`; everything else may be missing."""

from __future__ import annotations

from connectors.raw_appeal import RawAppeal
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.plain import draft_of
from normalizer.mappers.reading import payload_of


def read(raw: RawAppeal) -> Draft:
    """Map one line; `channel` on the line stands above the channel of the command."""
    row = payload_of(raw.payload)
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Unmappable('the line has no "text"')
    return draft_of(row, raw)
