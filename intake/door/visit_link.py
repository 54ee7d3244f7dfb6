"""The link of a call-back (回访链接): sealed, for one case and one answer of its department, until a moment.

It says nothing to whoever sees it, and nobody can guess one. It is used up by its own effect: once the case was
visited, closed or reopened, no link of that answer opens anything.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from router.cases.case import Case
from router.cases.moves import Kind

PATH = "/visit/"
MOST = 256  #: characters
_NONCE = 12
_FOR = b"visit"


class Link(NamedTuple):
    """What a link is for."""

    case: str
    answer: int  #: which event of the ledger: the department's word that it is done
    until: datetime


def link_of(case: Case, until: datetime) -> Link:
    """Make the link to visit a case about what its department last said was done."""
    return Link(case.id, answer_of(case), until)


def answer_of(case: Case) -> int:
    """The event with which its department last said that it is done."""
    return max((event.n for event in case.events if event.kind is Kind.RESOLVED), default=0)


def sealed(link: Link, key: bytes) -> str:
    """Write it as it stands in an address."""
    nonce = os.urandom(_NONCE)
    said = f"{link.case} {link.answer} {int(link.until.timestamp())}".encode()
    return urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, said, _FOR)).rstrip(b"=").decode()


def opened(token: str, key: bytes) -> Link | None:
    """Read it; None: it was not made by us."""
    if len(token) > MOST:
        return None
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        case, answer, until = AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], _FOR).decode().split(" ")
    except (InvalidTag, Error, ValueError):
        return None
    return Link(case, int(answer), datetime.fromtimestamp(int(until), UTC))
