"""The fingerprint of a text (文本指纹): equal for texts that differ only in blanks, marks and digits."""

from __future__ import annotations

import hashlib
import re

from normalizer.draft import Draft
from normalizer.tables import Tables

_WORDS = re.compile(r"[A-Za-z\u3400-\u4dbf\u4e00-\u9fff]+")


def fingerprint(draft: Draft, _tables: Tables) -> None:
    """Set the fingerprint, from the text or, where there is none, the title."""
    draft.fingerprint = fingerprint_of(draft.text or draft.title)


def fingerprint_of(text: str) -> str:
    """Digest the letters and Han characters of a text."""
    return hashlib.blake2b("".join(_WORDS.findall(text)).encode(), digest_size=16).hexdigest()
