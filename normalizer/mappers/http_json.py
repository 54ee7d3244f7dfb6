"""A row of a declared interface (声明式接口): the settings have put it under our plain names already."""

from __future__ import annotations

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Attachment
from normalizer.draft import Draft
from normalizer.mappers.reading import payload_of, words_of
from normalizer.mappers.table import read_row


def read(raw: RawAppeal) -> Draft:
    """Map one row; beside the names of an imported file it may have attachments."""
    row = payload_of(raw.payload)
    draft = read_row(row, raw)
    if "attachments" in row:
        draft.attachments = _attachments(row["attachments"])
    return draft


def _attachments(found: object) -> list[Attachment]:
    """Addresses, or objects that have one; one alone is a list of one."""
    several = found if isinstance(found, list) else str(found).split(",") if isinstance(found, str) else [found]
    attached = []
    for number, each in enumerate(several, start=1):
        if isinstance(each, str) and each.strip():
            attached.append(Attachment(id=str(number), url=each.strip()))
        elif isinstance(each, dict):
            url, name = words_of(each, "url", "src", "path"), words_of(each, "name", "filename")
            attached.append(Attachment(id=words_of(each, "id") or str(number), name=name, url=url))
    return attached
