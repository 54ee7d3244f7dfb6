"""The vault (隐私库): what of an item identifies a person, in two sealed parts.

`contact` holds what is the caller's: the contact that the source gave, and what of it stood in the text. `matter` holds
what belongs to the matter: which flat leaks, which car stands in the way. So whoever may see the one is never handed
the other. `traces` are keyed and one-way, one for each number that is in there: the front door finds what it holds of a
person by them, and nobody can read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from normalizer.appeal import Secrets
from normalizer.sealing import Seal
from normalizer.settle import Made
from normalizer.steps.identify import keyed
from normalizer.steps.mask import LABELS, canonical

Document = dict[str, Any]
#: China has kept one offset since 1991.
SHANGHAI = timezone(timedelta(hours=8))


class Part(StrEnum):
    """What may be opened apart."""

    CONTACT = "contact"  #: 诉求人的
    MATTER = "matter"  #: 事项的


class Contents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one part holds."""

    contact: dict[str, str] = {}  #: as the source gave it; only in the caller's part
    originals: dict[str, str] = {}  #: "text:门牌1" -> what stood there

    def __bool__(self) -> bool:
        return bool(self.contact or self.originals)


#: Of the contact, what can be traced, and under which kind. The mobile is in `citizen.ref` already.
_CONTACTS = (("phone", "landline"), ("mail", "mail"))
_KINDS = {label: kind for kind, label in LABELS.items()}
#: What is common to too many to find a person by.
_UNTRACED = frozenset({"name", "door"})


def bound(id_: str, revision: int, part: Part) -> bytes:
    """Say to which place a part is sealed."""
    return f"vault/{id_}/{revision}/{part}".encode()


def parts_of(secrets: Secrets) -> dict[Part, Contents]:
    """Tell the caller's data and the matter's apart."""
    if not secrets.originals:
        return {Part.CONTACT: Contents(contact=secrets.contact)}
    matter = frozenset(secrets.matter)
    mine = {key: value for key, value in secrets.originals.items() if key not in matter}
    parts = {Part.CONTACT: Contents(contact=secrets.contact, originals=mine)}
    if matter:
        parts[Part.MATTER] = Contents(originals={key: secrets.originals[key] for key in secrets.matter})
    return {part: contents for part, contents in parts.items() if contents}


def trace(kind: str, written: str, ref_key: bytes) -> bytes:
    """Key a number however it is written: one-way; a mobile's is what its owner's `citizen.ref` is made of."""
    return keyed(f"{kind}\0{canonical(kind, written)}", ref_key)


def traces(contents: Iterable[Contents], ref_key: bytes) -> list[bytes]:
    """Trace every number in there, once; not the caller's own mobile, by which `citizen.ref` finds."""
    found: dict[bytes, None] = {}
    own = None
    for one in contents:
        if one.contact:
            own = one.contact.get("mobile", own)
            for name, kind in _CONTACTS:
                if name in one.contact:
                    found[trace(kind, one.contact[name], ref_key)] = None
        for key, written in one.originals.items():
            kind = kind_of(key)
            if kind not in _UNTRACED and written != own:
                found[trace(kind, written, ref_key)] = None
    return list(found)


@lru_cache(maxsize=4096)
def kind_of(key: str) -> str:
    """Give the kind of an original by its key: `text:手机1` is a mobile."""
    return _KINDS[key.rpartition(":")[2].rstrip("0123456789")]


async def sealed(made: Sequence[Made], seal: Seal, ref_key: bytes, now: datetime) -> list[Document]:
    """Seal what only the vault may hold, with the keys that seal the raw items it came from."""
    groups: dict[tuple[str, str | None], list[Made]] = {}
    for one in made:
        if one.secrets:
            label = _label(one.raw.source, one.raw.received_at or now)
            groups.setdefault((label, one.raw.keys), []).append(one)
    documents = []
    for (label, beside), some in groups.items():
        # All parts of a message are sealed with the key of the message: it ends as one.
        keys = await seal.keys_of(label, list(dict.fromkeys(one.raw.id for one in some)), beside)
        for one in some:
            id_, revision = one.appeal.id, one.appeal.revision
            if one.raw.id not in keys:
                continue  # erased since it was read
            document: Document = {"_id": id_, "revision": revision, "key": keys.name}
            parts = parts_of(one.secrets)
            for part, contents in parts.items():
                document[part] = keys.seal(one.raw.id, bound(id_, revision, part), _ENCODER.encode(contents))
            document["traces"] = traces(parts.values(), ref_key)
            documents.append(document)
    return documents


_ENCODER = msgspec.json.Encoder()


@lru_cache(maxsize=64)  # a page was received at one moment
def _label(source: str, received: datetime) -> str:
    # The month of `raw`'s key: both go together.
    return f"vault/{source}/{received.astimezone(SHANGHAI):%Y-%m}"
