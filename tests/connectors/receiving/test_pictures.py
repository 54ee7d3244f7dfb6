"""Pictures are told by their first bytes and kept without what they say of place, time and camera."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.receiving.pictures import NoPicture, medium_of


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def exif(turn: int, order: str = "<") -> bytes:
    """Which way is up, and GPS."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    entries = [(0x010F, 2, 4, 0), (0x0112, 3, 1, turn), (0x8825, 4, 1, 26)]
    rows = b"".join(struct.pack(f"{order}HHIHH", tag, kind, count, value, 0) for tag, kind, count, value in entries)
    return b"Exif\0\0" + head + struct.pack(f"{order}H", len(entries)) + rows + b"\0\0\0\0GPS 31.2201 120.1102"


SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
TABLES = segment(0xDB, bytes(65)) + segment(0xC0, b"\x08\x00\x01\x00\x01\x01\x01\x11\x00")
JFIF, ICC = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"), segment(0xE2, b"ICC_PROFILE\0\x01\x01colours")
END = b"\xff\xd9"


def jpeg(*extra: bytes, after: bytes = b"") -> bytes:
    return b"\xff\xd8" + JFIF + b"".join(extra) + ICC + TABLES + SCAN + END + after


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_jpeg_loses_its_maker_and_keeps_its_colours_and_which_way_is_up(order: str) -> None:
    told = jpeg(
        segment(0xE1, exif(6, order)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:GPS/>"),
        segment(0xFE, b"taken at home"),
        segment(0xED, b"Photoshop 3.0\0by Sun"),
    )

    kept = medium_of(told).body

    assert medium_of(told).media_type == "image/jpeg"
    for word in (b"GPS", b"31.2201", b"home", b"Sun"):
        assert word not in kept
    assert ICC in kept
    assert TABLES + SCAN + END in kept
    assert struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) in kept


def test_an_upright_jpeg_has_no_exif_at_all() -> None:
    assert medium_of(jpeg(segment(0xE1, exif(1)))).body == jpeg()


def test_what_stands_behind_a_jpeg_is_cut_off() -> None:
    second = b"\xff\xd8" + segment(0xE1, exif(6)) + END
    assert medium_of(jpeg(after=second)).body == jpeg()


def test_scans_with_tables_between_them_are_kept_whole() -> None:
    """A progressive JPEG; a table may hold what looks like an end."""
    between = segment(0xC4, b"\x10" + b"\xff\xd9" * 9)
    told = b"\xff\xd8" + TABLES + SCAN + between + SCAN + END
    assert medium_of(told).body == told


def test_a_png_keeps_its_picture_and_nothing_else() -> None:
    head, data, end = chunk(b"IHDR", bytes(13)), chunk(b"IDAT", b"picture"), chunk(b"IEND", b"")
    said = chunk(b"eXIf", exif(6)) + chunk(b"tEXt", b"Author\0Sun") + chunk(b"tIME", bytes(7)) + chunk(b"iTXt", b"GPS")
    kept = medium_of(b"\x89PNG\r\n\x1a\n" + head + said + data + end + b"behind")
    assert kept.body == b"\x89PNG\r\n\x1a\n" + head + data + end


def test_a_webp_loses_exif_and_says_so() -> None:
    def part(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    def webp(*parts: bytes) -> bytes:
        whole = b"WEBP" + b"".join(parts)
        return b"RIFF" + struct.pack("<I", len(whole)) + whole

    told = webp(
        part(b"VP8X", b"\x2c" + bytes(9)), part(b"VP8 ", b"picture"), part(b"EXIF", b"GPS"), part(b"XMP ", b"<x/>")
    )
    assert medium_of(told).body == webp(part(b"VP8X", b"\x20" + bytes(9)), part(b"VP8 ", b"picture"))


XMP = b"<x:xmpmeta><exif:GPSLatitude>31,13N</exif:GPSLatitude><dc:creator>Sun</dc:creator></x:xmpmeta>"
#: XMP stands there as it is, not in blocks: its tail leads a reader of blocks out again.
MAGIC = b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def application(name: bytes, *blocks: bytes) -> bytes:
    return b"\x21\xff\x0b" + name + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def gif(*extra: bytes) -> bytes:
    screen = b"GIF89a\x01\0\x01\0\x80\0\0" + bytes(6)
    timing = b"\x21\xf9\x04\0\0\0\0\0"
    picture = b"\x2c\0\0\0\0\x01\0\x01\0\x81" + bytes(12) + b"\x02\x02\x44\x01\x03abc\0"
    return screen + b"".join(extra) + timing + picture + b";"


def test_a_gif_loses_xmp_and_comments_and_plays_on() -> None:
    plays = application(b"NETSCAPE2.0", b"\x01\0\0")
    told = gif(
        plays,
        b"\x21\xff\x0bXMP DataXMP" + XMP + MAGIC,
        b"\x21\xfe\x0dtaken at home\0",
        application(b"Camera  1.0", b"Sun"),
    )
    kept = medium_of(told + XMP)
    assert (kept.media_type, kept.body) == ("image/gif", gif(plays))


@given(st.integers(0, 700))
def test_a_gif_cut_off_anywhere_never_shows_its_maker(length: int) -> None:
    told = gif(b"\x21\xff\x0bXMP DataXMP" + XMP + MAGIC) + XMP
    try:
        kept = medium_of(told[:length]).body
    except NoPicture:
        return
    assert b"GPS" not in kept
    assert b"Sun" not in kept
    assert medium_of(kept).body == kept


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<svg onload=alert(1)>",
        b"GIF8",
        b"GIF89a",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
    ],
)
def test_what_is_no_picture_is_refused(body: bytes) -> None:
    with pytest.raises(NoPicture):
        medium_of(body)


@given(
    st.binary(max_size=200), st.sampled_from([b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"GIF89a"])
)
def test_whatever_the_bytes_it_is_a_picture_or_none(rest: bytes, head: bytes) -> None:
    try:
        first = medium_of(head + rest)
    except NoPicture:
        return
    assert medium_of(first.body).body == first.body


@given(st.integers(0, 400))
def test_a_picture_cut_off_anywhere_never_shows_its_maker(length: int) -> None:
    told = jpeg(segment(0xE1, exif(6)), segment(0xFE, b"taken at home"))[:length]
    try:
        kept = medium_of(told).body
    except NoPicture:
        return
    assert b"home" not in kept
    assert b"31.2201" not in kept
