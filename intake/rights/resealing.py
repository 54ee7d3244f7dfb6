"""Seals anew what was sealed under the month's own key: with a key of each item's own, the vault in its parts.

So it was until version 6 of the schema, and an item of that time cannot be ended in the backups before its month. The
sweep of retention does this, a page at a time, until nothing is left; run again, it goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from pymongo import UpdateOne

from connectors.keeping.sealing import opened, sealed
from intake.rights.custody import Custody
from normalizer.appeal import Secrets
from normalizer.vault import bound, parts_of, traces

AT_ONCE = 500
_OLD = {"key": {"$regex": "^(raw|vault)/[^#]*$"}}


async def reseal(custody: Custody) -> int:
    """Seal one page of each collection anew; give how many documents were."""
    done = await _raw(custody, "raw") + await _raw(custody, "raw_revisions")
    return done + await _vault(custody)


async def _raw(custody: Custody, name: str) -> int:
    documents = await custody.db[name].find(_OLD | {"destroyed": None}).limit(AT_ONCE).to_list(None)
    writes = []
    for label, some in _by_label(documents).items():
        keys = await custody.sealer.keys_of(label, [_item(document) for document in some])
        for document in some:
            id_, revision = _item(document), document["revision"]
            found = await opened(custody.sealer, document)
            payload = b"" if found is None else sealed(keys, id_, revision, *found)
            fields = {"key": keys.name, "payload": payload}
            # By the sealed value too: new likes may have been stored in its place meanwhile.
            guard = {"_id": document["_id"], "revision": revision, "payload": document["payload"]}
            writes.append(UpdateOne(guard, {"$set": fields, "$unset": {"context": ""}}))
    if writes:
        await custody.db[name].bulk_write(writes, ordered=False)
    return len(writes)


async def _vault(custody: Custody) -> int:
    documents = await custody.db.vault.find(_OLD).limit(AT_ONCE).to_list(None)
    writes = []
    for label, some in _by_label(documents).items():
        keys = await custody.sealer.keys_of(label, [document["_id"] for document in some])
        for document in some:
            id_, revision = document["_id"], document["revision"]
            bind = f"vault/{id_}/{revision}".encode()
            found = await custody.sealer.open_item(document["key"], id_, bind, document["sealed"])
            fields: dict[str, Any] = {"key": keys.name, "traces": []}
            if found is not None:
                parts = parts_of(msgspec.json.decode(found, type=Secrets))
                fields["traces"] = traces(parts.values(), custody.ref_key)
                for part, contents in parts.items():
                    fields[part.value] = keys.seal(id_, bound(id_, revision, part), msgspec.json.encode(contents))
            guard = {"_id": id_, "revision": revision, "key": document["key"]}
            writes.append(UpdateOne(guard, {"$set": fields, "$unset": {"sealed": ""}}))
    if writes:
        await custody.db.vault.bulk_write(writes, ordered=False)
    return len(writes)


def _item(document: Mapping[str, Any]) -> str:
    """Whose key it is: a superseded revision is an item's too."""
    return str(document.get("of") or document["_id"])


def _by_label(documents: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for document in documents:
        grouped.setdefault(document["key"], []).append(document)
    return grouped
