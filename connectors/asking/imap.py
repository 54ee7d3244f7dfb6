"""The only place that knows IMAP's errors: a polite `Fetch` for one mailbox, read-only (只读).

It speaks in the addresses of RFC 5092: `…/INBOX` with `after` is a list of what came later, and
`…/INBOX;UIDVALIDITY=7/;UID=20` one mail. Nothing is ever marked, moved or deleted: EXAMINE, not SELECT; BODY.PEEK, not
BODY. Each request costs one token of the source's budget. The library blocks, so it works in a thread; one at a time.
"""

from __future__ import annotations

import asyncio
import imaplib
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from urllib.parse import unquote, urlsplit

import msgspec
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from connectors.asking.budget import SHORT_WAIT, Budget, Verdict
from connectors.asking.robots import PRODUCT
from connectors.base import Request, Response
from connectors.errors import AccessDenied, ConnectorError, FormatChanged, RateLimited, Resting, SourceDown

TIMEOUT = 60.0  #: seconds without a byte
TRIES = 3
IDLE = 30.0  #: seconds after which an unused connection is let go
BUSY = 300.0  #: seconds of rest, where a server has too many of us
PARTIAL = 512 * 1024  #: bytes of a mail that is too large to be fetched whole
NO_SUCH = 404
_BUSY = re.compile(r"\[(?:LIMIT|INUSE|ALERT)\]|too many|频繁|frequen", re.IGNORECASE)
_PASSING = re.compile(
    r"\[(?:UNAVAILABLE|SERVERBUG|EXPIRED-TIMEOUT)\]|temporar|try (?:again )?later|system busy", re.IGNORECASE
)
_MAIL = re.compile(r"^(?P<folder>.+?);UIDVALIDITY=(?P<validity>\d+)/;UID=(?P<uid>\d+)$")
_SIZED = re.compile(rb"BODY\[\](?:<\d+>)? \{\d+\}$")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whose mailbox (账号)."""

    url: str  #: imaps://host, or imap://host, which is encrypted by STARTTLS before anything is said
    user: str
    password: str | None = None
    token: str | None = None  #: OAuth 2, in the place of a password
    ca_file: str | None = None

    def __repr__(self) -> str:
        """Show no secret."""
        return f"Account({self.url})"


class MailWay:
    """One connection to one mailbox, opened when it is needed."""

    def __init__(
        self, name: str, account: Account, *, budget: Budget, contact: str, now: Callable[[], datetime]
    ) -> None:
        self._name = name
        self._account = account
        self._budget = budget
        self._contact = contact
        self._now = now
        self._connection: imaplib.IMAP4 | None = None
        self._validity = ""  #: of the folder that is open
        self._turn = 0  #: a thread of an earlier one works for nobody
        self._one = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def fetch(self, request: Request) -> Response:
        """Ask, and ask again where that may help soon."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, SourceDown)),
            wait=wait_exponential_jitter(multiplier=0.5, max=SHORT_WAIT, jitter=0.5),
            stop=stop_after_attempt(TRIES),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                response = await self._ask(request)
        return response

    async def close(self) -> None:
        """Let go of the connection."""
        if self._idle is not None:
            self._idle.cancel()
        async with self._one:
            self._let_go()

    async def _ask(self, request: Request) -> Response:
        async with self._one:
            if self._idle is not None:
                self._idle.cancel()
            place, verdict, rest = await self._budget.spend(), Verdict.UNKNOWN, 0.0
            answering = asyncio.ensure_future(asyncio.to_thread(self._answer, request, self._turn))
            try:
                response = await asyncio.shield(answering)
                verdict = Verdict.WELL
            except ConnectorError as error:
                verdict = Verdict.DOWN if isinstance(error, SourceDown) else Verdict.WELL
                rest = error.seconds if isinstance(error, Resting) else 0.0
                raise
            except BaseException:
                self._give_up(answering)
                raise
            finally:
                await self._budget.ended(place, verdict, rest)
                self._idle = asyncio.get_running_loop().call_later(IDLE, self._let_go)
            return response

    def _give_up(self, answering: asyncio.Future[Response]) -> None:
        """Cut the line, so that the thread ends; close it when it has, also where the answer had come whole."""
        self._turn += 1
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):  # it was cut already
                connection.socket().shutdown(socket.SHUT_RDWR)
        answering.add_done_callback(partial(_clear_up, connection))

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)

    # ------------------------------------------------------------ in the thread

    def _answer(self, request: Request, turn: int) -> Response:
        where = f"source {self._name}: {urlsplit(self._account.url).netloc}"
        connection = self._connection
        try:
            connection = connection or self._open(where)
            if turn != self._turn:
                raise imaplib.IMAP4.abort("nobody waits for this answer any more")
            self._connection = connection
            path = unquote(urlsplit(request.url).path).lstrip("/")
            if (mail := _MAIL.match(path)) is not None:
                return self._mail(connection, mail, int(request.query.get("size", "0")), where)
            return self._list(connection, path, request, where)
        except (imaplib.IMAP4.error, OSError, EOFError) as error:
            if connection is not None:
                _close(connection)
                self._connection = None if self._connection is connection else self._connection
            raise _trouble(error, where) from error

    def _open(self, where: str) -> imaplib.IMAP4:
        """Connect, prove who we are, and say it."""
        account = self._account
        connection = _connected(account)
        try:
            _log_in(connection, account)
            if "ID" in connection.capabilities:  # 163.com lets nobody in who does not say who it is
                connection.xatom("ID", f'("name" "{PRODUCT}" "version" "1" "contact" "{_quotable(self._contact)}")')
        except BaseException as error:
            _close(connection)
            refused = isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort)
            if refused and not (_BUSY.search(str(error)) or _PASSING.search(str(error))):
                raise AccessDenied(
                    f"{where} refuses the log-in; put the right name and password (many servers want one of their own "
                    "for IMAP, 授权码) into the variables of `user_env` and `password_env`, then resume the source"
                ) from error
            raise
        return connection

    def _list(self, connection: imaplib.IMAP4, folder: str, request: Request, where: str) -> Response:
        """List what came after a mail: a line each, as the server writes it."""
        self._validity = self._examine(connection, folder, where)
        same = request.query.get("validity") == self._validity
        after = int(request.query.get("after", "0")) if same else 0
        kind, lines = connection.uid("FETCH", f"{after + 1}:*", "(UID RFC822.SIZE INTERNALDATE)")
        if kind != "OK":
            raise _meaning(str(lines), where)
        body = b"\n".join(line for line in lines if isinstance(line, bytes))
        return Response(status=200, headers={"uidvalidity": self._validity}, body=body, fetched_at=self._now())

    def _mail(self, connection: imaplib.IMAP4, mail: re.Match[str], size: int, where: str) -> Response:
        """Fetch one mail, or the beginning of one that is too large. Gone meanwhile: 404."""
        if connection.state != "SELECTED":
            self._validity = self._examine(connection, mail["folder"], where)
        if self._validity != mail["validity"]:
            raise SourceDown(f"{where}: the mailbox was made anew meanwhile; it is read again")
        wanted = f"BODY.PEEK[]<0.{size}>" if size else "BODY.PEEK[]"
        kind, parts = connection.uid("FETCH", mail["uid"], f"({wanted})")
        if kind != "OK":
            raise _meaning(str(parts), where)
        found = [part[1] for part in parts if isinstance(part, tuple) and _SIZED.search(part[0])]
        status = 200 if found else NO_SUCH
        return Response(status=status, headers={}, body=b"".join(found[:1]), fetched_at=self._now())

    def _examine(self, connection: imaplib.IMAP4, folder: str, where: str) -> str:
        kind, told = connection.select(f'"{_mailbox_name(folder)}"', readonly=True)
        if kind != "OK":
            if _BUSY.search(str(told)) or _PASSING.search(str(told)):
                raise _meaning(str(told), where)
            raise FormatChanged(f"{where} does not open the folder; check `folder` and who may read it")
        _, found = connection.response("UIDVALIDITY")
        return str(int(found[-1] or b"0"))


def _connected(account: Account) -> imaplib.IMAP4:
    """Open an encrypted line; nothing is said before it is."""
    parts = urlsplit(account.url)
    context = ssl.create_default_context(cafile=account.ca_file)
    if parts.scheme == "imaps":
        return imaplib.IMAP4_SSL(parts.hostname or "", parts.port or 993, ssl_context=context, timeout=TIMEOUT)
    connection = imaplib.IMAP4(parts.hostname or "", parts.port or 143, timeout=TIMEOUT)
    try:
        connection.starttls(context)
    except BaseException:
        _close(connection)
        raise
    return connection


def _clear_up(connection: imaplib.IMAP4 | None, answering: asyncio.Future[Response]) -> None:
    """Take note of an answer that nobody waits for: what went wrong with it is no news, its line must not stay open."""
    if not answering.cancelled():
        answering.exception()
    if connection is not None:
        _close(connection)


def _close(connection: imaplib.IMAP4) -> None:
    with suppress(OSError):  # it was gone already
        connection.shutdown()


def _log_in(connection: imaplib.IMAP4, account: Account) -> None:
    if account.token is not None:
        proof = f"user={account.user}\x01auth=Bearer {account.token}\x01\x01"
        connection.authenticate("XOAUTH2", lambda _: proof.encode())
    elif "AUTH=PLAIN" in connection.capabilities:
        proof = f"\0{account.user}\0{account.password or ''}"
        connection.authenticate("PLAIN", lambda _: proof.encode())
    else:
        connection.login(account.user, account.password or "")


def _trouble(error: Exception, where: str) -> ConnectorError:
    """Say what an error of the library means for the reader."""
    if isinstance(error, ssl.SSLError):
        return SourceDown(f"{where}: no safe connection ({type(error).__name__}); check its certificate")
    if isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort):
        return _meaning(str(error), where)
    return SourceDown(f"{where}: no whole answer ({type(error).__name__}); it is asked again")


def _meaning(told: str, where: str) -> ConnectorError:
    """What a refusal means. What the server said stays unsaid: it may name the account."""
    if _BUSY.search(told):
        return RateLimited(f"{where} has too many of us and asks for patience", BUSY)
    if _PASSING.search(told):
        return SourceDown(f"{where} says that it is not ready; it is asked again")
    return FormatChanged(f"{where} does not take our question; tell us which server it is")


def _quotable(words: str) -> str:
    return re.sub(r'["\\\r\n]', "", words)


def _mailbox_name(folder: str) -> str:
    """A folder's name as RFC 3501 writes it: 市长信箱 in modified UTF-7."""

    def coded(run: re.Match[str]) -> str:
        if run[0] == "&":
            return "&-"
        return "&" + b64encode(run[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"

    return re.sub(r"&|[^\x20-\x7e]+", coded, folder).replace("\\", "\\\\").replace('"', '\\"')
