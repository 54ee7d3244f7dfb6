"""How personal data ends: keys first, then what stands. One way for a citizen's own word and for the end of its time.

The order is what a crash may leave behind: with its keys destroyed, nothing of an item can be read any more, and doing
it again finishes the rest. What is copied elsewhere (a queue, a department) is named by whoever calls this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from connectors.keeping.compare import Destroyed
from intake.door.media import MediaStore
from intake.item_keys import ItemKeys
from intake.rights.custody import Custody, open_part
from normalizer.appeal import family, message_of
from normalizer.vault import Contents, Part, bound, traces
from router.cases import privacy
from router.cases.moves import Kind
from router.rounds import every

#: Items that are emptied with one write.
AT_ONCE = 500


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What was there and is not any more."""

    keys: int = 0
    raw: int = 0
    vault: int = 0
    unlinked: int = 0


async def destroy(ids: Sequence[str], why: Destroyed, custody: Custody) -> Ended:
    """Destroy all that is sealed of these items: contact, matter's data, raw texts, of every part and revision."""
    keys = await custody.sealer.destroy_items(ids)
    raw = vault = 0
    for some in _batches(ids):
        raw += await custody.raw.destroy(some, why, custody.now())
        vault += (await custody.db.vault.delete_many({"_id": {"$in": family(some)}})).deleted_count
        await MediaStore(custody.db, custody.sealer).discard(some)
    return Ended(keys=keys, raw=raw, vault=vault)


async def unlink(ids: Sequence[str], custody: Custody) -> int:
    """Take out of the masked appeals what leads to their author; the appeals stay for the statistics."""
    gone: dict[str, Any] = {
        "citizen.ref": None,
        "citizen.display": None,
        "citizen.has_contact": False,
        "url": None,
        "attachments": [],
        "place.location": None,
        "links.same_person": [],
    }
    changed = 0
    for messages in _batches(ids):
        some = family(messages)
        changed += (await custody.db.appeals.update_many({"_id": {"$in": some}}, {"$set": gone})).modified_count
        await custody.db.appeal_revisions.update_many({"id": {"$in": some}}, {"$set": gone})
        await custody.db.matters.update_many({"_id": {"$in": some}}, {"$set": {"person": None}})
        for name in ("appeals", "appeal_revisions"):
            linked = {"links.same_person": {"$in": some}}
            await custody.db[name].update_many(linked, {"$pull": {"links.same_person": {"$in": some}}})
    return changed


async def tell_cases(ids: Sequence[str], why: Destroyed, custody: Custody, *, actor: str, reason: str) -> None:
    """Write it into the ledger of each case, of each part and round."""
    at = custody.now()
    for some in _batches(ids):
        for case in await every(family(some), custody.cases):
            await custody.cases.change(
                case,
                lambda now: privacy.destroyed(now, why.value, actor=actor, reason=reason, at=at),
                [Kind.DESTROYED],
            )


async def forget_number(ids: Sequence[str], wanted: Collection[bytes], custody: Custody) -> Ended:
    """Take a number out of items that mention it: the rest of their vault is sealed again with new keys."""
    done = Ended()
    for id_ in ids:
        parts = await custody.db.vault.find({"_id": {"$in": family([id_])}}).to_list(None)
        # It may stand in an older text alone, of an item of which the vault holds nothing any more.
        sealed = parts[0] if parts else await custody.db.raw.find_one({"_id": id_}, {"key": 1})
        if sealed is None:
            continue
        keys = await custody.sealer.keys_of(sealed["key"].partition("#")[0], [id_])
        for kept in parts:  # the parts of a message share its keys: all of them are sealed again
            await _seal_without(kept, wanted, keys, custody)
        await MediaStore(custody.db, custody.sealer).seal_again(id_, keys)
        destroyed = await custody.sealer.destroy_items([id_], keep=[keys.name])
        raw = await custody.raw.destroy([id_], Destroyed.MENTIONED, custody.now())
        done = Ended(keys=done.keys + destroyed, raw=done.raw + raw, vault=done.vault + len(parts))
    return done


async def _seal_without(kept: Mapping[str, Any], wanted: Collection[bytes], keys: ItemKeys, custody: Custody) -> None:
    id_ = kept["_id"]
    parts = {part: await open_part(custody, id_, part) or Contents() for part in Part}
    left = {part: _without(contents, wanted, custody.ref_key) for part, contents in parts.items()}
    sealed = {
        part.value: keys.seal(message_of(id_), bound(id_, kept["revision"], part), msgspec.json.encode(contents))
        for part, contents in left.items()
        if contents
    }
    document: dict[str, Any] = {"_id": id_, "revision": kept["revision"], "key": keys.name, **sealed}
    document["traces"] = traces(left.values(), custody.ref_key)
    await custody.db.vault.replace_one({"_id": id_, "key": kept["key"]}, document)


def _without(contents: Contents, wanted: Collection[bytes], ref_key: bytes) -> Contents:
    """Leave out every entry that one of these traces is of."""

    def stays(one: Contents) -> bool:
        return not any(found in wanted for found in traces([one], ref_key))

    return Contents(
        contact={name: value for name, value in contents.contact.items() if stays(Contents(contact={name: value}))},
        originals={key: value for key, value in contents.originals.items() if stays(Contents(originals={key: value}))},
    )


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    return (list(ids[at : at + AT_ONCE]) for at in range(0, len(ids), AT_ONCE))
