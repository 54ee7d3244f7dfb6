"""Bytes of a source -> text and JSON, whatever it says of its encoding. Pure."""

from __future__ import annotations

import codecs
import re
from typing import Any

import msgspec

from connectors.base import Response
from connectors.errors import AccessDenied, FormatChanged

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_XML_HEAD = re.compile(r"^\s*<\?xml[^>]*\?>")
_XML_ENCODING = re.compile(r"""\s+encoding\s*=\s*(?:"[^"]*"|'[^']*')""")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
#: 国标: every page that says gb2312 or gbk may hold characters of its successor.
_GB = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "euc-cn": "gb18030"}
#: An escape of JSON: a pair of halves, one half alone, or any other.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(?P<half>u[dD][89a-fA-F]\w\w)|.)", re.DOTALL)
FIRST_EAST_ASIAN = "\u2e80"
_PASSWORD_FIELD = re.compile(r"""type\s*=\s*["']?password""", re.IGNORECASE)


def text_of(body: bytes, content_type: str = "") -> str:
    """Decode: byte order mark, strict UTF-8, what was declared if it fits, GB 18030; at last with marks of loss.

    UTF-8 goes before the declaration, which is often wrong. Only a very short Chinese page may be UTF-8 by chance
    (路 in GB is · in UTF-8), and then no Chinese is left in it.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    declared = _declared(body, content_type)
    text = _strict(body, "utf-8")
    if text is not None and (text.isascii() or not declared or any(letter >= FIRST_EAST_ASIAN for letter in text)):
        return text
    fitting = (_strict(body, encoding) for encoding in (*declared, "utf-8", "gb18030"))
    return next((text for text in fitting if text is not None), None) or body.decode("utf-8", "replace")


def encoding_named(name: str) -> str:
    """What a name of an encoding stands for: the older ones of ours for their successor, which holds more."""
    return _GB.get(name.lower(), name)


def no_encoding(name: str) -> str | None:
    """Say what is wrong with a name that an operator wrote; None: nothing."""
    try:
        codecs.lookup(name)
    except LookupError:
        return f'"{name}" is no encoding; write utf-8, gb18030 or big5'
    return None


def _strict(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def xml_of(body: bytes, content_type: str = "") -> str:
    """Decode XML and drop what its head says of an encoding that it no longer has."""
    text = text_of(body, content_type)
    head = _XML_HEAD.match(text)
    return text if head is None else _XML_ENCODING.sub("", head[0]) + text[head.end() :]


def json_of(response: Response, where: str) -> Any:  # noqa: ANN401  the connector looks into it
    """Read JSON, also when it is served as text/html; a log-in page is a refusal."""
    text = text_of(response.body, response.headers.get("content-type", ""))
    try:
        return decoded(text.lstrip("\ufeff \t\r\n"))
    except msgspec.DecodeError as error:
        if text.lstrip().startswith("<"):
            raise html_answer(text, where) from error
        raise FormatChanged(
            f"{where} answered {len(response.body)} bytes that are not JSON ({error}); "
            "look at the address in a browser, then mend `url` or tell us of the new format"
        ) from error


def decoded(text: str) -> Any:  # noqa: ANN401
    """Read JSON, also where a program has cut an emoji in two: that is one lost sign, and not a lost page."""
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise msgspec.DecodeError("lists or objects are nested without end") from error
    except msgspec.DecodeError:
        mended = _ESCAPE.sub(_whole_sign, text)
        if mended == text:
            raise
        return msgspec.json.decode(mended)


def _whole_sign(match: re.Match[str]) -> str:
    return "\\ufffd" if match["half"] else match[0]


def is_log_in_page(text: str) -> bool:
    """Whether a page of HTML asks who we are."""
    return _PASSWORD_FIELD.search(text) is not None


def html_answer(text: str, where: str) -> AccessDenied | FormatChanged:
    """What an HTML page in the place of data means."""
    if is_log_in_page(text):
        return AccessDenied(
            f"{where} answered with a log-in page; renew the key or the session, then resume the source"
        )
    return FormatChanged(f"{where} answered with an HTML page; check `url`, then resume the source")


def _declared(body: bytes, content_type: str) -> list[str]:
    found = []
    if charset := _CHARSET.search(content_type):
        found.append(charset[1])
    if declared := _DECLARED.match(body[:200]):
        found.append(declared[1].decode("ascii"))
    return [encoding_named(name) for name in found]
