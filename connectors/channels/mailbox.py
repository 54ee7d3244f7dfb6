"""A mailbox for citizens' letters (领导信箱) by IMAP: whatever came after the last mail that was read.

The place in a folder is UIDVALIDITY and UID. A mail's own identity is not, since a folder that is made anew numbers its
mails anew: it is the Message-ID with a digest of what stands in the mail, which also tells apart what a careless
program sends under one Message-ID. A mail never changes, and one that a clerk files away or deletes is not taken back
by its author: nothing is swept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote, urlsplit

import msgspec

from connectors.asking.imap import PARTIAL, Account
from connectors.base import BadItem, Fetch, Item, Page, Request, Response
from connectors.channels.mailbox_mime import Mail, read_mail
from connectors.errors import FormatChanged
from connectors.source import Source

ENOUGH = 50  #: mails of a page
ENOUGH_BYTES = 8 * 1024 * 1024
LONGEST_TEXT = 1_000_000  #: characters that an appeal may have; who writes more is read by a person
GONE = 404
IN_DOUBT = datetime.max.replace(tzinfo=UTC)  #: when a mail came, where its server says that in a way of its own

_FLAGS = re.compile(r"\bFLAGS \(")
_UID = re.compile(r"\bUID (\d+)")
_SIZE = re.compile(r"\bRFC822\.SIZE (\d+)")
_RECEIVED = re.compile(r'\bINTERNALDATE "([^"]+)"')


class MailboxSettings(Source, frozen=True, kw_only=True):
    """Settings of one folder of one mailbox."""

    url: str  #: imaps://host, or imap://host, which is encrypted by STARTTLS before anything is said
    user_env: str  #: the environment variable that holds the account's name
    password_env: str | None = None  #: … its password (授权码)
    token_env: str | None = None  #: … an OAuth 2 token, in the place of a password
    folder: str = "INBOX"
    largest: Annotated[int, msgspec.Meta(ge=1024)] = 20 * 1024 * 1024  #: bytes of a mail; larger ones are parked
    ca_file: str | None = None  #: of a server whose certificate is signed by the city itself

    def problems(self) -> list[str]:
        found = super().problems()
        if not self.url.startswith(("imaps://", "imap://")) or not urlsplit(self.url).hostname:
            found.append("url must be imaps://host, or imap://host for STARTTLS")
        if (self.password_env is None) == (self.token_env is None):
            found.append("password_env or token_env is needed, one of the two")
        return found


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last mail that was read."""

    validity: str = ""
    uid: int = 0
    since: datetime | None = None  #: mails that came before are passed over


class Entry(msgspec.Struct, frozen=True):
    """One line of a folder's list."""

    uid: int
    size: int
    received: str  #: as the server writes it


def account_of(settings: MailboxSettings, environment: Mapping[str, str]) -> Account:
    """Whose mailbox it is; the settings were checked, so that the variables are there."""
    return Account(
        url=settings.url,
        user=environment.get(settings.user_env, ""),
        password=environment.get(settings.password_env or ""),
        token=environment.get(settings.token_env or ""),
        ca_file=settings.ca_file,
    )


class Mailbox:
    """Reads one folder."""

    def __init__(self, settings: MailboxSettings, fetch: Fetch, environment: Mapping[str, str]) -> None:
        del environment  # who opened the way to the mailbox logs in
        self._settings = settings
        self._fetch = fetch
        self._folder = f"{settings.url.rstrip('/')}/{quote(settings.folder, safe='')}"

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        position = msgspec.json.decode(cursor, type=Position) if cursor else Position()
        query = {"after": str(position.uid), "validity": position.validity}
        response = await self._fetch(Request(url=self._folder, query=query))
        validity, entries = parse_list(response, f"source {self._settings.name}: {self._settings.folder}")
        after = position.uid if position.validity == validity else 0
        rows: list[Item | BadItem] = []
        size = 0
        for entry in (each for each in entries if each.uid > after):
            after = entry.uid
            if position.since is not None and _received(entry) < position.since:
                continue
            read = await self._mail(entry, validity)
            rows += [read] if read is not None else []
            size += len(read.payload) if read is not None else 0
            if len(rows) >= ENOUGH or size >= ENOUGH_BYTES:
                yield _page(rows, Position(validity, after, position.since))
                rows, size = [], 0
        yield _page(rows, Position(validity, after, position.since))

    def position_at(self, moment: datetime) -> str:
        """By when mails came in; a day more, since servers write that in zones of their own."""
        return msgspec.json.encode(Position(since=moment - timedelta(days=1))).decode()

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        """Read a parked mail again; one that was too large becomes an appeal once `largest` allows it."""
        del context
        read = read_row(msgspec.json.decode(payload, type=Mail), self._settings)
        return msgspec.structs.replace(read, native_id=native_id)

    async def _mail(self, entry: Entry, validity: str) -> Item | BadItem | None:
        """Fetch one mail; None if it is gone by now."""
        query = {"size": str(PARTIAL)} if entry.size > self._settings.largest else {}
        url = f"{self._folder};UIDVALIDITY={validity}/;UID={entry.uid}"
        response = await self._fetch(Request(url=url, query=query))
        if response.status == GONE:
            return None
        # Beside the event loop: a large mail takes seconds, and nobody renews this worker's leases meanwhile.
        return read_row(await asyncio.to_thread(parse_mail, response, entry), self._settings)


def parse_list(response: Response, where: str) -> tuple[str, list[Entry]]:
    """Read the list of a folder, in the order of its mails."""
    validity = response.headers.get("uidvalidity", "")
    entries = []
    for line in response.body.decode("ascii", "replace").splitlines():
        uid, size, received = _UID.search(line), _SIZE.search(line), _RECEIVED.search(line)
        if size is None and _FLAGS.search(line):
            continue  # somebody marked a mail meanwhile: a server tells that whenever it likes (RFC 3501, 7)
        if uid is None:
            raise FormatChanged(f"{where}: the server lists mails in a way that we do not know; tell us which it is")
        entries.append(Entry(int(uid[1]), int(size[1]) if size else 0, received[1] if received else ""))
    return validity, sorted(entries, key=lambda entry: entry.uid)


def parse_mail(response: Response, entry: Entry) -> Mail:
    """Read one mail, or what was fetched of it."""
    moment = _received(entry)
    received = f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment < IN_DOUBT else ""
    return read_mail(response.body, size=entry.size, received=received)


def read_row(mail: Mail, settings: MailboxSettings) -> Item | BadItem:
    """Make an item of a mail."""
    payload = msgspec.json.encode(mail)
    reason = None
    if mail.size > settings.largest:
        reason = f"the mail has {mail.size} bytes; read it in the mailbox, or raise `largest` and retry"
    elif mail.knotted:
        reason = "the mail has parts in parts without end; read it in the mailbox"
    elif len(mail.text) + len(mail.html) > LONGEST_TEXT:
        reason = f"the mail has {len(mail.text) + len(mail.html)} characters; read it in the mailbox"
        cut = {"text": mail.text[:LONGEST_TEXT], "html": mail.html[:LONGEST_TEXT]}
        payload = msgspec.json.encode(msgspec.structs.replace(mail, **cut))
    elif not (mail.subject.strip() or mail.text.strip() or mail.html.strip()):
        reason = (
            f"the mail has neither subject nor text, and {len(mail.attachments)} attachments; read it in the mailbox"
        )
    if reason is not None:
        return BadItem(native_id=mail.id, payload=payload, reason=reason)
    attached = (f"{each.name}\0{each.sha256}" for each in mail.attachments)
    content = (mail.subject, mail.text or mail.html, mail.author_address, *attached)
    return Item(native_id=mail.id, payload=payload, content=content)


def _received(entry: Entry) -> datetime:
    """When the server took it in; in doubt after all others, so that nothing is passed over."""
    try:
        return datetime.strptime(entry.received.strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return IN_DOUBT


def _page(rows: list[Item | BadItem], position: Position) -> Page:
    return Page(
        offered=tuple(row.native_id for row in rows),
        items=tuple(row for row in rows if isinstance(row, Item)),
        bad=tuple(row for row in rows if isinstance(row, BadItem)),
        cursor=msgspec.json.encode(position).decode(),
    )
