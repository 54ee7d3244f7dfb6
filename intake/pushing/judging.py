"""What an address answered, and what is done next (应答): one table. Pure.

A message is the department's only with 2xx. Everything else keeps it: what the address says of this message, what it
says of itself, and how long it wants to be left alone are told apart, since one message that can't be read must not
hold up a department, and a department whose address is wrong must not have its orders parked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple

LONGEST_REST = 86_400.0  #: seconds; who asks for more is asked again after a day


class Next(StrEnum):
    """What is done next."""

    DONE = "done"  #: stored there: off the queue
    REFUSED = "refused"  #: this message is not taken: a few times, then it is parked
    FAILED = "failed"  #: not now: again after a while; counts against the address
    REST = "rest"  #: it said how long to leave it alone
    WRONG = "wrong"  #: the address itself is wrong: no message is tried until somebody mended it


class Verdict(NamedTuple):
    """What an answer means."""

    next: Next
    reason: str  #: for people and logs: a status or the class of an error, never what the answer said
    seconds: float = 0.0


#: What it says of the address, its certificate, its login: the next message would be answered likewise.
_OF_THE_ADDRESS = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.MISDIRECTED_REQUEST,
}
_NOT_NOW = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY}
_PATIENCE = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def judge(status: int, headers: Mapping[str, str], now: datetime) -> Verdict:
    """Read an answer off its status line and `Retry-After`; its body is nobody's business."""
    reason = f"HTTP {status}"
    if 200 <= status < 300:  # noqa: PLR2004 - as HTTP has it
        return Verdict(Next.DONE, reason)
    if status in _PATIENCE:
        seconds = retry_after(headers.get("Retry-After"), now)
        return Verdict(Next.FAILED, reason) if seconds is None else Verdict(Next.REST, reason, seconds)
    if status in _OF_THE_ADDRESS or status < 400:  # noqa: PLR2004 - a redirect: we are led nowhere else
        return Verdict(Next.WRONG, reason, retry_after(headers.get("Retry-After"), now) or 0.0)
    if status in _NOT_NOW or status >= 500:  # noqa: PLR2004
        return Verdict(Next.FAILED, reason)
    return Verdict(Next.REFUSED, reason)


def retry_after(written: str | None, now: datetime) -> float | None:
    """Read `Retry-After`: seconds, or a date."""
    if written is None:
        return None
    if written.strip().isdecimal():
        return min(float(written), LONGEST_REST)
    try:
        at = parsedate_to_datetime(written)
    except (ValueError, OverflowError):  # of an offset that no clock has
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), LONGEST_REST)
