"""Letting the department that holds a case see what its message leaves out: the caller's contact, the matter's data.

Both are a line of the case's ledger and of `accesses`, written before anything is opened. The contact goes to the lead
alone, and never that of a confidential case: there the centre relays (中心代为联系). The matter's data (which flat,
which car) goes to a lead that the directory grants it, by the kinds of its `may_see`.
"""

from __future__ import annotations

from functools import partial

import msgspec

from intake.rights.accesses import Seen, masked, note
from intake.rights.custody import Custody, open_part
from normalizer.appeal import RequestType, appeal_of
from normalizer.steps.mask import LABELS
from normalizer.vault import Part, kind_of
from router.cases import privacy
from router.cases.case import Case, holders
from router.cases.moves import Kind
from router.dispatch import Role
from router.dispatching.directory import Directory

WHAT = {Part.CONTACT: Seen.CONTACT, Part.MATTER: Seen.MATTER}


class NotShown(Exception):
    """It may not be shown; the message says why and what to do instead."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a department was shown."""

    case: str
    case_no: str
    department: str
    contact: dict[str, str] = {}  #: "name", "mobile", …
    originals: dict[str, str] = {}  #: "text:手机1" -> what stands there


async def show(
    case: Case, part: Part, department: str | None, directory: Directory, custody: Custody, *, actor: str, reason: str
) -> Shown:
    """Show one part of a case to its lead department; NotShown where that may not be."""
    unit = _lead(case, department)
    if part is Part.CONTACT:
        await _must_not_be_confidential(case, custody)
    granted = _granted(directory, unit) if part is Part.MATTER else None
    at = custody.now()
    look = partial(privacy.reveal, what=WHAT[part].value, department=unit, actor=actor, reason=masked(reason), at=at)
    await custody.cases.change(case, look, [Kind.REVEALED])
    await note(custody.db, [case.id], WHAT[part], actor=actor, reason=reason, at=at, department=unit)
    contents = await open_part(custody, case.id, part)
    if contents is None:
        raise NotShown("个人信息已到期销毁，或已应本人要求删除 · it was destroyed: its time was over, or it was erased")
    kept = contents.originals
    if granted is not None:
        kept = {key: value for key, value in kept.items() if LABELS[kind_of(key)] in granted}
    return Shown(case=case.id, case_no=case.case_no, department=unit, contact=contents.contact, originals=kept)


def _lead(case: Case, department: str | None) -> str:
    leads = [code for code, role in holders(case).items() if role is Role.LEAD]
    if not leads:
        raise NotShown("该件现在没有主办单位，不提供 · no department has this case as its lead now")
    if department is not None and department not in leads:
        raise NotShown(f"{department} 不是该件的主办单位，不提供 · only the lead may see it: {', '.join(leads)}")
    return department or leads[0]


async def _must_not_be_confidential(case: Case, custody: Custody) -> None:
    """Ask every revision: what was once reported in confidence stays so."""
    secret = {"$or": [{"citizen.confidential": True}, {"request_type": RequestType.REPORT.value}]}
    either = [
        await custody.db.appeals.find_one({"_id": appeal_of(case.id)} | secret, {"_id": 1}),
        await custody.db.appeal_revisions.find_one({"id": appeal_of(case.id)} | secret, {"_id": 1}),
    ]
    if any(either):
        raise NotShown("举报、保密件，不提供联系方式，由中心代为联系 · confidential: the centre relays")


def _granted(directory: Directory, code: str) -> frozenset[str]:
    unit = directory.get(code)
    granted = frozenset() if unit is None else frozenset(unit.may_see)
    if not granted:
        raise NotShown(f"名录没有准许 {code} 看事项信息（may_see）· the directory grants {code} nothing (may_see)")
    return granted
