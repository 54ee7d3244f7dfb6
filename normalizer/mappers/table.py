"""A row of an imported file, its columns already named by the mapping in the settings (connectors' file import)."""

from __future__ import annotations

from connectors.raw_appeal import RawAppeal
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.plain import draft_of
from normalizer.mappers.reading import payload_of


def read(raw: RawAppeal) -> Draft:
    """Map one row."""
    row = payload_of(raw.payload)
    if not any(isinstance(row.get(name), str) and row[name].strip() for name in ("text", "title")):
        raise Unmappable("the row has neither text nor title; check the column mapping")
    return draft_of(row, raw)
