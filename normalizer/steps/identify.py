"""Who wrote (诉求人), as little as needed: a keyed one-way ref, a surname, and whether a contact is in the vault."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from connectors.raw_appeal import KEY_BYTES, written
from normalizer.appeal import Citizen, RequestType
from normalizer.draft import Draft
from normalizer.steps.personal.names import COMPOUND_SURNAMES
from normalizer.steps.personal.numbers import canonical_mobile

_FORMS = frozenset({"先生", "女士", "小姐", "老师", "大爷", "阿姨"})
MOST_CALLED = 2  #: characters of a surname before a form of address
_HAN_NAME = re.compile(r"^[\u4e00-\u9fff]{2,4}$")
_COMPOUND = frozenset(COMPOUND_SURNAMES)
_UNNAMED = frozenset({"保密", "匿名", "无", "未知", "不详", "先生", "女士", "市民", "群众", "网友", "游客"})
#: Channels where a name is a name and not a nickname.
_REAL_NAMES = frozenset({"hotline", "mailbox", "visit", "counter", "grid", "petition", "transfer"})
#: The digits of the shortest telephone number that can be called from here.
SHORTEST = 7
_REPORT = RequestType.REPORT
_DIGITS = re.compile(r"[^0-9]")


def mobile_of(draft: Draft) -> str | None:
    """Give the citizen's mobile the one way it is keyed, however the source wrote it."""
    return canonical_mobile(draft.phone) if draft.phone else None


def citizen_of(draft: Draft, mobile: str | None, source: str, ref_key: bytes) -> Citizen:
    """Describe the citizen; who reports is confidential and has no display name."""
    confidential = draft.secret or draft.request_type is _REPORT
    return Citizen(
        ref=_ref(draft, mobile, source, ref_key),
        display=None if confidential else _display(draft),
        has_contact=_has_contact(draft, mobile),
        confidential=confidential,
    )


def contact_of(draft: Draft, mobile: str | None) -> dict[str, str]:
    """Gather the caller's contact for the vault, as the source gave it."""
    contact: dict[str, str] = {}
    if draft.author_name:
        contact["name"] = draft.author_name
    if draft.phone:
        contact["mobile" if mobile else "phone"] = draft.phone
    if draft.mail:
        contact["mail"] = draft.mail
    if draft.author_id:
        contact["author_id"] = draft.author_id
    return contact


def _ref(draft: Draft, mobile: str | None, source: str, ref_key: bytes) -> str | None:
    """Key the mobile, which joins a person over sources; else the source's own user."""
    if mobile is not None:
        who = f"mobile\0{mobile}"
    elif draft.author_id:
        who = f"author\0{source}\0{draft.author_id}"
    else:
        return None
    return ref_of(who, ref_key)


def ref_of(who: str, ref_key: bytes) -> str:
    """Write the reference of a citizen: who it is of is a mobile, or a source and its user."""
    return written(keyed(who, ref_key))


def keyed(words: str, ref_key: bytes) -> bytes:
    """Key words one-way: without the key nobody can try all telephone numbers."""
    hashed = _begun(ref_key).copy()
    hashed.update(words.encode())
    return hashed.digest()


@lru_cache(maxsize=4)  # a city has one key, and another one while it is changed
def _begun(ref_key: bytes) -> hashlib.blake2b:
    # Taking the key in costs as much as the words: that is done once.
    return hashlib.blake2b(key=ref_key, digest_size=KEY_BYTES)


def _display(draft: Draft) -> str | None:
    name = (draft.author_name or "").strip()
    if not name or name in _UNNAMED or draft.channel not in _REAL_NAMES:
        return None
    called, form = name[:-2], name[-2:]
    if form not in _FORMS or not 0 < len(called) <= MOST_CALLED or "\n" in called:
        if draft.sex is None or not _HAN_NAME.match(name):
            return None
        called, form = name, draft.sex
    return f"{called[:2] if called[:2] in _COMPOUND else called[0]}{form}"


def _has_contact(draft: Draft, mobile: str | None) -> bool:
    """Say whether somebody could be called back: a starred number is none."""
    if draft.mail or (mobile is not None and mobile == draft.phone):
        return True
    if draft.phone and "*" not in draft.phone and len(_DIGITS.sub("", draft.phone)) >= SHORTEST:
        return True
    return bool(draft.masked.keys() & {"mobile", "landline", "mail", "wechat", "qq"})
