"""One citizen's own rights: everything that is held of a person (查询本人信息), and its end (删除本人信息).

A person is looked for by a number or by a source's user. What is searched for is only keyed and compared, never stored
or logged. *Own* are the appeals whose `citizen.ref` it makes; *mentioned* are those of others in whose vault the number
stands, or in an older text of which it stood; *unread* are items that no mapper has read. What nobody has traced is
searched through as it came.

Erasing destroys the keys of a person's items, so that backups follow; empties what stands; and takes the references out
of the masked appeals, which stay for the statistics. Of an item that only mentions the person the number goes, from the
vault and with the raw text; what else the vault holds belongs to its caller, and is sealed again with a new key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal

import msgspec

from connectors.keeping.compare import Destroyed
from connectors.keeping.sealing import opened
from intake.rights import copies
from intake.rights.accesses import Seen, masked, note
from intake.rights.copies import Copies, Copy
from intake.rights.custody import Custody, open_part
from intake.rights.destroying import Ended, destroy, forget_number, tell_cases, unlink
from intake.rights.numbers import folded, numbers_in
from intake.rounds import rows as rounds
from normalizer.appeal import family, message_of
from normalizer.steps.identify import ref_of
from normalizer.steps.mask import canonical_mobile
from normalizer.steps.personal.numbers import digits_of
from normalizer.vault import Part, kind_of, trace
from router.rounds import every

Relation = Literal["own", "mentioned", "unread"]
#: Kinds of number that a person may be looked for by, and those that are tried in turn where nothing else is said.
MOBILE, LANDLINE, ID_CARD = "mobile", "landline", "id_card"


class Wanted(msgspec.Struct, frozen=True):
    """Whom to look for, already keyed; `digits` never leaves the process."""

    ref: str | None
    traces: list[bytes]
    digits: str | None

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "Wanted()"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one item."""

    id: str
    relation: Relation
    source: str
    native_id: str
    case_no: str | None
    state: str | None
    at: datetime | None
    what: list[str]  #: in Chinese, for people
    departments: list[str] = []  #: to which messages went, masked


def by_phone(written: str, ref_key: bytes) -> Wanted | None:
    """Look for a telephone; None where it is none."""
    written = folded(written)
    mobile = canonical_mobile(written)
    digits = mobile or digits_of(written)
    if not digits.isdigit() or len(digits) < 7:  # noqa: PLR2004 - the shortest that can be called
        return None
    ref = ref_of(f"mobile\0{mobile}", ref_key) if mobile else None
    return Wanted(ref, [trace(MOBILE if mobile else LANDLINE, written, ref_key)], digits)


def by_id_number(written: str, ref_key: bytes) -> Wanted | None:
    """Look for a resident id; None where it is none."""
    written = folded(written)
    digits = digits_of(written)
    return Wanted(None, [trace(ID_CARD, written, ref_key)], digits) if len(digits) in {15, 18} else None


def by_author(source: str, author_id: str, ref_key: bytes) -> Wanted:
    """Look for a user of a source."""
    return Wanted(ref_of(f"author\0{source}\0{author_id}", ref_key), [], None)


async def held(wanted: Wanted, custody: Custody) -> list[Held]:
    """Everything that is held of this person, and where."""
    relations: dict[str, Relation] = {}
    if wanted.digits is not None:
        async for id_ in _superseded(wanted.digits, custody):
            relations[id_] = "mentioned"
        async for id_ in _unread(wanted.digits, custody):
            relations[id_] = "unread"
    if wanted.traces:
        async for row in custody.db.vault.find({"traces": {"$in": wanted.traces}}, {"_id": 1}):
            relations[message_of(row["_id"])] = "mentioned"
    if wanted.ref is not None:
        async for row in custody.db.appeals.find({"citizen.ref": wanted.ref}, {"_id": 1}):
            relations[message_of(row["_id"])] = "own"
        async for row in custody.db.appeal_revisions.find({"citizen.ref": wanted.ref}, {"id": 1}):
            relations[message_of(row["id"])] = "own"
    return [await _held(id_, relation, custody.db) for id_, relation in sorted(relations.items())]


async def in_copies(wanted: Wanted, custody: Custody, what: Seen, *, actor: str, reason: str) -> Copies:
    """Where else this person's number stands, in what belongs to no item; that somebody looked is written down."""
    found = await copies.search(wanted.digits, custody)
    ids = [copy.id for copy in found.found]
    await note(custody.db, ids, what, actor=actor, reason=reason, at=custody.now())
    return found


async def in_flight(custody: Custody) -> int:
    """Count pages whose items are not all normalized yet: whose they are nobody knows so far."""
    return int(await custody.db.pages.count_documents({"stage": {"$ne": "done"}}))


async def _unread(digits: str, custody: Custody) -> AsyncIterator[str]:
    """Items that were never mapped, searched as they came; what is open in memory is not kept."""
    unmapped = [row["_id"] async for row in custody.db.unmapped.find({}, {"_id": 1})]
    query = {"$or": [{"parked.stage": {"$exists": True}}, {"_id": {"$in": unmapped}}]}
    async for row in custody.db.raw.find(query, {"_id": 1}):
        text = (await custody.raw.payload(row["_id"])).decode("utf-8", "replace")
        if digits in numbers_in(text):
            yield row["_id"]


async def _superseded(digits: str, custody: Custody) -> AsyncIterator[str]:
    """Items in an older text of which it stands: the vault has the traces of the newest one alone."""
    async for row in custody.db.raw_revisions.find({"destroyed": None}):
        found = await opened(custody.sealer, row)
        if found is not None and digits in numbers_in(found[0].decode("utf-8", "replace")):
            yield row["of"]


async def numbers_of_vault(custody: Custody) -> AsyncIterator[str]:
    """Every number that the vault holds, as it is written there: for the scanner, which searches for it elsewhere."""
    async for row in custody.db.vault.find({"traces": {"$ne": []}}, {"_id": 1}):
        for part in Part:
            contents = await open_part(custody, row["_id"], part)
            if contents is None:
                continue
            told = [value for name, value in contents.contact.items() if name in {"mobile", "phone", "mail"}]
            told += [value for key, value in contents.originals.items() if kind_of(key) not in {"name", "door"}]
            for value in told:
                if len(value) >= 7:  # noqa: PLR2004 - shorter ones stand anywhere
                    yield value


async def _held(id_: str, relation: Relation, db: Any) -> Held:  # noqa: ANN401 - motor ships no types
    raw = await db.raw.find_one({"_id": id_}, {"source": 1, "native_id": 1, "destroyed": 1, "received_at": 1}) or {}
    vault = [row async for row in db.vault.find({"_id": {"$in": family([id_])}}, {"contact": 1, "matter": 1})]
    appeal = await db.appeals.find_one({"_id": id_}, {"citizen": 1, "source": 1, "native_id": 1}) or {}
    chains = await rounds(db, family([id_]), {"case_no": 1, "state": 1, "dispatches.department": 1})
    cases = [row for chain in chains.values() for row in chain]
    case: dict[str, Any] = chains[id_][-1] if id_ in chains else {}
    revisions = await db.raw_revisions.count_documents({"of": id_, "destroyed": None})
    pictures = await db.media.count_documents({"_id": {"$gte": f"{id_}/", "$lt": f"{id_}0"}})
    citizen = appeal.get("citizen") or {}
    what = {
        "原文": raw and not raw.get("destroyed"),
        f"旧版原文 {revisions} 份": revisions,
        f"图片 {pictures} 张": pictures,
        "联系方式": any("contact" in row for row in vault),
        "事项信息": any("matter" in row for row in vault),
        "同一人代号": citizen.get("ref"),
        "称呼": citizen.get("display"),
    }
    known = raw or appeal
    return Held(
        id=id_,
        relation=relation,
        source=known["source"],
        native_id=known["native_id"],
        case_no=case.get("case_no"),
        state=case.get("state"),
        at=raw.get("received_at"),
        what=[name for name, there in what.items() if there],
        departments=sorted({row["department"] for each in cases for row in each.get("dispatches", [])}),
    )


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one case that a department has: it must delete them itself."""

    department: str
    case_no: str
    messages: list[str]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was destroyed, and that nothing is left."""

    at: datetime
    actor: str
    erased: list[str]  #: ids of the person's own items and of those that nobody had read
    mentioned: list[str]  #: ids of others' items, out of which the number was taken
    keys_destroyed: int
    raw_emptied: int
    vault_removed: int
    unlinked: int
    copies: list[Copy]  #: pages and messages that belong to no item, and were destroyed
    unsearched: int  #: … in which nobody could look
    departments: list[Told]
    pages_in_flight: int
    left: list[Held]


async def erase(wanted: Wanted, custody: Custody, *, actor: str, reason: str) -> Proof:
    """Erase a person, and look again whether anything is left."""
    found = await held(wanted, custody)
    at, reason = custody.now(), masked(reason)
    await note(custody.db, [one.id for one in found], Seen.ERASURE, actor=actor, reason=reason, at=at)
    own = [one.id for one in found if one.relation != "mentioned"]
    mentioned = [one.id for one in found if one.relation == "mentioned"]
    ended = await destroy(own, Destroyed.ERASED, custody) if own else Ended()
    await tell_cases(own, Destroyed.ERASED, custody, actor=actor, reason=reason)
    others = await forget_number(mentioned, frozenset(wanted.traces), custody)
    await tell_cases(mentioned, Destroyed.MENTIONED, custody, actor=actor, reason=reason)
    beside = await in_copies(wanted, custody, Seen.ERASURE, actor=actor, reason=reason)
    await copies.destroy(beside.found, custody)
    # Last: the reference is what finds the person's own, for whoever must finish what broke off before.
    unlinked = await unlink(own, custody)
    return Proof(
        at=at,
        actor=actor,
        erased=own,
        mentioned=mentioned,
        keys_destroyed=ended.keys + others.keys,
        raw_emptied=ended.raw + others.raw,
        vault_removed=ended.vault,
        unlinked=unlinked,
        copies=beside.found,
        unsearched=beside.unsearched,
        departments=[told async for told in _told(own, custody)],
        pages_in_flight=await in_flight(custody),
        left=await held(wanted, custody),
    )


async def _told(ids: list[str], custody: Custody) -> AsyncIterator[Told]:
    for case in await every(family(ids), custody.cases):
        sent: dict[str, list[str]] = {}
        for row in case.dispatches:
            if row.sent_at is not None:
                sent.setdefault(row.department, []).append(row.id)
        for department, messages in sorted(sent.items()):
            yield Told(department=department, case_no=case.case_no, messages=messages)


async def show(wanted: Wanted, custody: Custody, *, actor: str, reason: str) -> list[Held]:
    """Everything that is held of this person; that somebody asked is written beside each of it."""
    found = await held(wanted, custody)
    await note(custody.db, [one.id for one in found], Seen.PERSON, actor=actor, reason=reason, at=custody.now())
    return found
