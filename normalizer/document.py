"""An appeal as it is stored: BSON, with the mark that the schema leaves to the store."""

from __future__ import annotations

from typing import Any

from bson import encode

from normalizer.appeal import Appeal, to_document

Document = dict[str, Any]


def document_of(appeal: Appeal, *, withdrawn: bool) -> Document:
    """Write an appeal with the mark that the schema leaves to the store."""
    document = to_document(appeal)
    document["withdrawn"] = withdrawn
    return document


def encoded(appeal: Appeal, *, withdrawn: bool) -> bytes:
    """Serialise a document while its appeal is still warm: a page of dicts is slower to encode than to make."""
    return encode(document_of(appeal, withdrawn=withdrawn))
