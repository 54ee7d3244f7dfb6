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
_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, b";"
_GIF_COMMENT, _GIF_APPLICATION = 0xFE, 0xFF
#: Of applications these say how often it plays and how its colours look; XMP says where and who.
_GIF_KEPT = frozenset([b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"])
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
        media_type, bare = "image/gif", b"".join(_gif(body))
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


def _gif(body: bytes) -> Iterator[bytes]:
    """Give the screen and every block but comments and what other applications add.

    As browsers do, it takes what is no block for the end; what is cut off can be looked at as far as it goes.
    """
    at, images = 13 + _palette(body, 10), 0
    yield body[:at]
    while at < len(body) and body[at] in {_GIF_IMAGE, _GIF_EXTENSION}:
        is_image = body[at] == _GIF_IMAGE
        # A descriptor, its palette and the size of its codes; an extension has a label.
        start = at + (11 + _palette(body, at + 9) if is_image else 2)
        end = _blocks_end(body, start)
        if is_image or not _is_told(body[at + 1 : at + 2], body[start + 1 : start + 12]):
            yield body[at:end]
        images += is_image
        at = end
    if not images:
        raise NoPicture("the GIF is empty")
    if at < len(body):
        yield _GIF_END


def _palette(body: bytes, at: int) -> int:
    """Give the size of the colours that a descriptor announces."""
    packed = body[at] if at < len(body) else 0
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _is_told(label: bytes, application: bytes) -> bool:
    return label == bytes([_GIF_COMMENT]) or (label == bytes([_GIF_APPLICATION]) and application not in _GIF_KEPT)


def _blocks_end(body: bytes, at: int) -> int:
    """Give where a chain of blocks ends, each with its length before it."""
    while at < len(body) and body[at]:
        at += 1 + body[at]
    return min(at + 1, len(body))


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
