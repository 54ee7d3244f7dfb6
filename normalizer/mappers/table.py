"""A row of an imported file, its columns already named by the mapping in the settings (connectors' file import)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.raw_appeal import RawAppeal
from normalizer.draft import Draft
from normalizer.errors import Unmappable
from normalizer.mappers.plain import draft_of
from normalizer.mappers.reading import payload_of, text_in


def read(raw: RawAppeal) -> Draft:
    """Map one row."""
    return read_row(payload_of(raw.payload), raw)


def read_row(row: Mapping[str, Any], raw: RawAppeal) -> Draft:
    """Map the fields of one row."""
    if not (text_in(row.get("text")).strip() or text_in(row.get("title")).strip()):
        raise Unmappable("the row has neither text nor title; check the column mapping")
    return draft_of(row, raw)
