"""The bytes of a mail -> what it says: words in any encoding, and its attachments by name, size and digest. Pure.

Chinese mails declare gb2312 and write GBK, write headers without declaring anything, and cut a character in two between
two encoded words. What is quoted below an answer stays: the normalizer knows what to do with it.
"""

from __future__ import annotations

import email.header
import email.utils
import hashlib
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from itertools import islice

import msgspec

from connectors.reading.encoding import text_of

DEEPEST = 20  #: parts in parts
LONGEST_ID = 160  #: characters of a Message-ID that is kept as it is
SAMPLED = 64 * 1024  #: bytes that tell two mails apart
#: Encodings that look like ASCII: only their declaration tells.
_SEVEN_BITS = ("hz", "iso-2022", "utf-7")
#: Parts of one mail that hold parts; each holds up every line of what stands in it.
MOST_NESTED = 100
_NESTING = re.compile(rb"\b(?:multipart/|message/rfc822)", re.IGNORECASE)
_HIDES = re.compile(r"<(head|style|script)\b", re.IGNORECASE)
_SHOWS = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("head", "style", "script")}


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment (附件), not its bytes."""

    name: str
    media_type: str
    size: int
    sha256: str


class Mail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one mail says."""

    id: str
    size: int  #: bytes, as the server told
    message_id: str = ""
    in_reply_to: str = ""
    root: str = ""  #: the mail that the conversation began with
    date: str = ""  #: as its author's machine wrote it
    received: str = ""  #: when the server took it in
    author: str = ""
    author_address: str = ""
    to: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""  #: where there is no plain text
    attachments: tuple[Attached, ...] = ()
    knotted: bool = False  #: parts in parts without end: only its head was read


class _Parts(msgspec.Struct):
    """What the parts of a mail hold."""

    text: list[str] = []
    html: list[str] = []
    attachments: list[Attached] = []


def read_mail(raw: bytes, *, size: int, received: str = "") -> Mail:
    """Read a mail, or as much of it as is there."""
    knotted = sum(1 for _ in islice(_NESTING.finditer(raw), MOST_NESTED + 1)) > MOST_NESTED
    message = BytesParser(policy=compat32).parsebytes(raw, headersonly=knotted)
    parts = _Parts()
    for part in _leaves(message):
        _take(part, parts)
    text = "\n".join(parts.text).strip()
    message_id = _id_in(_header(message, "Message-ID"))
    references = [found.strip("<>") for found in re.findall(r"<[^<>\s]+>", _header(message, "References"))]
    parent = _id_in(_header(message, "In-Reply-To")) or (references[-1] if references else "")
    author, address = _author(message)
    return Mail(
        id=_identity(message, message_id, raw),
        size=size,
        message_id=message_id,
        in_reply_to=parent,
        root=references[0] if references else parent,
        date=_header(message, "Date"),
        received=received,
        author=author,
        author_address=address,
        to=", ".join(found for _, found in email.utils.getaddresses([_header(message, "To")]) if found),
        subject=_header(message, "Subject"),
        text=text,
        html="" if text else _visible("\n".join(parts.html)).strip(),
        attachments=tuple(parts.attachments),
        knotted=knotted,
    )


def _visible(html: str) -> str:
    """Leave out what a page does not show. Each name's end is looked for once, if it has none."""
    shown, at, endless = [], 0, set[str]()
    for opening in _HIDES.finditer(html):
        name = opening[1].lower()
        if opening.start() < at or name in endless:
            continue
        closing = _SHOWS[name].search(html, opening.end())
        if closing is None:
            endless.add(name)
            continue
        shown.append(html[at : opening.start()])
        at = closing.end()
    return " ".join([*shown, html[at:]])


def _leaves(part: Message, depth: int = 0) -> Iterator[Message]:
    """Give the parts that hold something; a mail that is attached to a mail is one attachment."""
    if part.is_multipart() and part.get_content_maintype() == "multipart" and depth < DEEPEST:
        for each in _inner(part):
            yield from _leaves(each, depth + 1)
    else:
        yield part


def _inner(part: Message) -> list[Message]:
    return [each for each in part.get_payload() if isinstance(each, Message)]


def _take(part: Message, parts: _Parts) -> None:
    kind, name = part.get_content_type(), _name_of(part)
    body = _body(part)
    is_words = kind in {"text/plain", "text/html"} and part.get_content_disposition() != "attachment" and not name
    if is_words:
        words = _words(body, part)
        if words.strip():
            (parts.text if kind == "text/plain" else parts.html).append(words)
    elif body or name:
        digest = hashlib.sha256(body).hexdigest()
        parts.attachments.append(Attached(name=name or kind, media_type=kind, size=len(body), sha256=digest))


def _body(part: Message) -> bytes:
    if part.is_multipart():  # a mail in a mail
        return b"\n".join(each.as_bytes() for each in _inner(part))
    body = part.get_payload(decode=True)
    return body if isinstance(body, bytes) else b""


def _words(body: bytes, part: Message) -> str:
    charset = str(part.get_param("charset", "") or "").lower()
    if charset.startswith(_SEVEN_BITS):
        return _declared(body, charset)
    kind = f"text/plain; charset={charset}" if charset else ""
    return text_of(body, kind).replace("\r\n", "\n")


def _declared(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except LookupError:
        return text_of(body)


def _header(message: Message, name: str) -> str:
    """Read a header, encoded, declared or neither."""
    return _decoded(_raw(message, name), message).strip()


def _decoded(raw: str, message: Message) -> str:
    if not raw.isascii():  # not declared: bytes that the parser could only carry along; written like the text, mostly
        return text_of(raw.encode("utf-8", "surrogateescape"), _charset(message))
    if "=?" not in raw:
        return raw
    try:
        found = email.header.decode_header(raw)
    except email.errors.HeaderParseError:
        return raw
    return "".join(_word(word, charset) for word, charset in found)


def _charset(message: Message) -> str:
    """How the first words of a mail are declared."""
    found = (part.get_param("charset") for part in _leaves(message) if part.get_content_maintype() == "text")
    return next((f"charset={charset}" for charset in found if isinstance(charset, str) and charset.isascii()), "")


def _word(word: bytes | str, charset: str | None) -> str:
    if isinstance(word, str):
        return word
    if charset is not None and charset.lower().startswith(_SEVEN_BITS):
        return _declared(word, charset)
    return text_of(word, f"charset={charset}" if charset else "")


def _author(message: Message) -> tuple[str, str]:
    """Name and address of whom to answer: letters from a form come from a machine, and name the citizen as Reply-To."""
    written = _raw(message, "Reply-To") or _raw(message, "From")
    pairs = email.utils.getaddresses([written])
    name, address = pairs[0] if pairs else ("", "")
    if not name and "@" not in address:
        return _decoded(written, message), ""
    return _decoded(name, message).strip(" \"'"), address.lower()


def _raw(message: Message, name: str) -> str:
    """An address is taken apart before its name is decoded: a name may hold commas."""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    return re.sub(r"\r?\n[ \t]*", " ", raw).strip()


def _name_of(part: Message) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError):
        return "?"
    return _decoded(re.sub(r"\r?\n[ \t]*", " ", name), part).strip() if name else ""


def _id_in(written: str) -> str:
    found = re.search(r"<([^<>\s]+)>", written)
    return found[1] if found else written.strip()


def _identity(message: Message, message_id: str, raw: bytes) -> str:
    """The Message-ID and a digest: programs, and people of ill will, use one twice."""
    made = hashlib.blake2b(digest_size=6 if message_id else 12)
    for name in ("From", "Date", "Subject"):
        made.update(_raw(message, name).encode("utf-8", "surrogateescape") + b"\0")
    head, blank, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    made.update(body[:SAMPLED] if blank else head[:SAMPLED])
    if not message_id or len(message_id) > LONGEST_ID or not message_id.isprintable():
        return f"mail-{made.hexdigest()}"
    return f"{message_id}#{made.hexdigest()}"
