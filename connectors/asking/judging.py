"""What an answer means (errors.py), for whoever asked and for all who share the budget; and what is kept of it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from yarl import URL

from connectors.asking.budget import SHORT_WAIT, Verdict
from connectors.base import Response
from connectors.errors import AccessDenied, FormatChanged, RateLimited, SourceDown

NO_RETRY_AFTER = 30.0  #: seconds, where a 429 does not say how long
LONGEST_REST = 86400.0  #: seconds; who asks for more is asked again after a day
REMEMBERED = 32  #: answers kept for conditional requests, the least recently used go first
LARGEST_REMEMBERED = 512 * 1024

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def verdict_of(status: int, headers: Mapping[str, str], now: datetime) -> tuple[Verdict, float]:
    """What this answer means for all who share the budget, and for how many seconds nobody asks."""
    if _asks_for_patience(status, headers):
        return Verdict.UNKNOWN, retry_after(headers, now)
    if status in REDIRECTS and "retry-after" in headers:
        return Verdict.WELL, retry_after(headers, now)  # before it is followed
    return Verdict.DOWN if _is_down(status) else Verdict.WELL, 0.0


def judged(status: int, headers: dict[str, str], content: bytes, where: str, now: datetime) -> Response:
    """An answer that is data; any other is raised as what its reader does next."""
    if status // 100 == 2 or status in _GONE:  # noqa: PLR2004  the class of success
        return Response(status=status, headers=headers, body=content, fetched_at=now)
    if _asks_for_patience(status, headers):
        seconds = retry_after(headers, now)
        raise RateLimited(f"{where} answered {status} and asks for {seconds:.0f} s of patience", seconds)
    if status in _REFUSED:
        raise AccessDenied(f"{where} answered {status}; renew its key or permission, then resume the source")
    if _is_down(status):
        raise SourceDown(f"{where} answered {status}; it is asked again")
    raise FormatChanged(f"{where} answered {status}; check `url` and the other settings of this source")


def retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """Both forms: seconds, and a date, which is meant by the source's own clock where it tells that."""
    written = headers.get("retry-after", "")
    if _SECONDS.fullmatch(written.strip()):
        return min(float(written), LONGEST_REST)
    moment = _date(written)
    if moment is None:
        return NO_RETRY_AFTER
    return min(max(0.0, (moment - (_date(headers.get("date", "")) or now)).total_seconds()), LONGEST_REST)


def _is_down(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT


def _asks_for_patience(status: int, headers: Mapping[str, str]) -> bool:
    """429 does, and whatever may pass and says when; some refuse those who ask too often with 403."""
    may_pass = _is_down(status) or status == HTTPStatus.FORBIDDEN
    return status == HTTPStatus.TOO_MANY_REQUESTS or (may_pass and "retry-after" in headers)


def _date(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Asked(NamedTuple):
    """What was asked: what a form is asked for stands in its body."""

    method: str
    url: URL
    body: bytes | None = None


class PutOff:
    """Redirects that asked for a long patience first: asked again, the address would send us away for as long again."""

    def __init__(self) -> None:
        self._led: dict[Asked, Asked] = {}

    def seconds(self, asked: Asked, led: Asked, headers: Mapping[str, str], now: datetime) -> float:
        """How long to wait before it is followed; a wait that ends this reading is remembered."""
        seconds = retry_after(headers, now) if "retry-after" in headers else 0.0
        if seconds > SHORT_WAIT:
            if len(self._led) >= REMEMBERED:
                self._led.clear()
            self._led[asked] = led
        return seconds

    def taken_up(self, asked: Asked) -> Asked:
        """Where to go on: once where it led, then to itself."""
        return self._led.pop(asked, asked)


class Remembered:
    """Answers that can be asked for by condition, so that one that did not change is not sent again."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Response] = OrderedDict()

    def validators(self, method: str, url: URL) -> dict[str, str]:
        """Headers that name the answer that we have."""
        known = self._answers.get(str(url)) if method == "GET" else None
        if known is None:
            return {}
        wanted = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
        return {ask: known.headers[told] for ask, told in wanted.items() if told in known.headers}

    def again(self, url: URL, now: datetime) -> Response | None:
        """The answer that a 304 stands for."""
        known = self._answers.get(str(url))
        if known is None:
            return None
        self._answers.move_to_end(str(url))
        return Response(status=200, headers=known.headers, body=known.body, fetched_at=now)

    def keep(self, method: str, url: URL, response: Response) -> None:
        """Keep an answer that bears a validator, if it is small."""
        validated = "etag" in response.headers or "last-modified" in response.headers
        if method != "GET" or response.status != HTTPStatus.OK or not validated:
            return
        if len(response.body) > LARGEST_REMEMBERED:
            return
        self._answers[str(url)] = response
        self._answers.move_to_end(str(url))
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
