"""Pictures that citizens send (图片): told by their first bytes, without what they say of place, time and camera.

What is removed is removed before anything is stored. Of EXIF one fact stays, which way is up; colours stay as well.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator

from connectors.receiving.contract import Medium

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"acTL", b"fcTL", b"fdAT"]
)
_WEBP_KEPT = frozenset([b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"])
_EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
#: What ends a scan: no stuffed byte, no restart, no filling.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_ORIENTATION = 0x0112
_MOST_ENTRIES = 200
_UPRIGHT, _LAST_TURN = 1, 8


class NoPicture(ValueError):
    """The bytes are no picture that we take."""


def medium_of(body: bytes) -> Medium:
    """Make what is kept of a picture. The same picture gives the same bytes."""
    if body.startswith(b"\xff\xd8\xff"):
        media_type, bare = "image/jpeg", b"".join(_jpeg(body))
    elif body.startswith(_PNG):
        media_type, bare = "image/png", b"".join(_png(body))
    elif body.startswith((b"GIF87a", b"GIF89a")):
        media_type, bare = "image/gif", body  # it has no place for EXIF
    elif body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        media_type, bare = "image/webp", _webp(body)
    else:
        raise NoPicture("the file is no JPEG, PNG, GIF or WebP")
    return Medium(sha256=hashlib.sha256(bare).hexdigest(), media_type=media_type, body=bare)


def _jpeg(body: bytes) -> Iterator[bytes]:
    """Give every segment but those that tell of the maker, to the end of the first picture.

    Behind it some cameras put a second one, with EXIF of its own.
    """
    yield body[:2]
    at = 2
    while True:
        while body[at : at + 2] == b"\xff\xff":
            at += 1  # filling
        marker = body[at + 1] if body[at : at + 1] == b"\xff" and at + 1 < len(body) else 0
        if marker == _EOI:
            yield body[at : at + 2]
            return
        if not marker or at + 4 > len(body):
            raise NoPicture("the JPEG is cut off or damaged")
        end = at + 2 + int.from_bytes(body[at + 2 : at + 4], "big")
        if marker == _SOS:
            following = _MARKER.search(body, end)
            end = following.start() if following else len(body)
            yield body[at:end]
            if following is None:
                return  # its end is missing; what is there can be looked at
        elif marker == _APP1:
            yield _turned(body[at:end])
        elif not _tells(marker) or _colours(body, at):
            yield body[at:end]
        at = end


def _tells(marker: int) -> bool:
    """Say whether such a segment may tell of the maker: notes, and what applications add."""
    return marker == _COM or (_APP0 < marker <= _APP15 and marker != _APP14)


def _colours(body: bytes, at: int) -> bool:
    return body[at + 1] == _APP2 and body[at + 4 : at + 16] == b"ICC_PROFILE\0"


def _turned(segment: bytes) -> bytes:
    """An EXIF segment that says nothing but which way is up; nothing at all where it is upright."""
    turn = _turn(segment[10:]) if segment[4:10] == b"Exif\0\0" else _UPRIGHT
    if not _UPRIGHT < turn <= _LAST_TURN:
        return b""
    told = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, turn, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(told) + 2) + told


def _turn(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 10:  # noqa: PLR2004  a header and a count
        return _UPRIGHT
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if start + 2 > len(tiff):
        return _UPRIGHT
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for number in range(min(count, _MOST_ENTRIES)):
        entry = start + 2 + 12 * number
        if entry + 12 > len(tiff):
            return _UPRIGHT
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if tag == _ORIENTATION:
            return int(value)
    return _UPRIGHT


def _png(body: bytes) -> Iterator[bytes]:
    yield _PNG
    at = len(_PNG)
    while True:
        head = body[at : at + 8]
        end = at + 12 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or end > len(body):  # noqa: PLR2004  a length and a name
            raise NoPicture("the PNG is cut off or damaged")
        if head[4:] in _PNG_KEPT:
            yield body[at:end]
        if head[4:] == b"IEND":
            return
        at = end


def _webp(body: bytes) -> bytes:
    parts, at = [], 12
    while at + 8 <= len(body):
        name, size = body[at : at + 4], int.from_bytes(body[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        if at + 8 + size > len(body):
            raise NoPicture("the WebP is cut off or damaged")
        part = body[at:end]
        if name == b"VP8X" and size:
            part = part[:8] + bytes([part[8] & ~0x0C]) + part[9:]  # it no longer has EXIF or XMP
        if name in _WEBP_KEPT:
            parts.append(part)
        at = end
    if not parts:
        raise NoPicture("the WebP is empty")
    whole = b"".join(parts)
    return b"RIFF" + (len(whole) + 4).to_bytes(4, "little") + b"WEBP" + whole
