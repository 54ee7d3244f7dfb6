"""Forms (表单), read in memory: what a citizen sends is never laid down unsealed, not even for a moment."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

from connectors.receiving.contract import File, Refused

MOST_PARTS = 100
MOST_HEAD = 8_192  #: bytes before the content of a part: more is nobody's name, and takes a second to be looked through
_BOUNDARY = re.compile(r'boundary="?([^";,]{1,70})"?', re.IGNORECASE)
_WORDS = re.compile(r'(name|filename)(\*?)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', re.IGNORECASE)


def form_of(content_type: str, body: bytes) -> tuple[dict[str, str], tuple[File, ...]]:
    """Read fields and files; a field that comes several times is one, its values parted by commas."""
    kind = content_type.partition(";")[0].strip().lower()
    # curl and many a library call whatever they send a form; no form begins like an object of JSON.
    if kind == "application/x-www-form-urlencoded" and not body.startswith(b"{"):
        try:
            pairs = parse_qsl(
                body.decode("utf-8"),
                keep_blank_values=True,
                max_num_fields=MOST_PARTS,
                encoding="utf-8",
                errors="strict",
            )
        except ValueError:
            raise Refused(400, "表单要用 UTF-8，字段不超过 100 个 · a form in UTF-8 of at most 100 fields") from None
        return _joined(pairs), ()
    if kind == "multipart/form-data":
        return _multipart(content_type, body)
    return {}, ()


def _multipart(content_type: str, body: bytes) -> tuple[dict[str, str], tuple[File, ...]]:
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Refused(400, "multipart 没有 boundary · multipart without a boundary")
    parts = (b"\r\n" + body).split(b"\r\n--" + found[1].encode(errors="surrogateescape"), MOST_PARTS)
    if len(parts) > MOST_PARTS or len(parts) < 3 or not parts[-1].startswith(b"--"):  # noqa: PLR2004  begin, one, end
        raise Refused(400, "multipart 不完整或部分太多 · multipart is cut off, or has too many parts")
    fields: list[tuple[str, str]] = []
    files: list[File] = []
    for part in parts[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        named = _names(head) if len(head) <= MOST_HEAD else {}
        if "name" not in named:
            raise Refused(400, "multipart 有一部分没有名字 · a part of the form has no name")
        if "filename" in named:
            if content or named["filename"]:
                files.append(File(field=named["name"], name=named["filename"], body=content))
        else:
            fields.append((named["name"], _text(content)))
    return _joined(fields), tuple(files)


def _names(head: bytes) -> dict[str, str]:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-disposition":
            return {each[0].lower(): _name(each) for each in _WORDS.findall(_text(value))}
    return {}


def _name(found: tuple[str, str, str, str]) -> str:
    """Read one of the ways in which clients write names that are not ASCII."""
    _, extended, quoted, bare = found
    words = (bare or quoted).rpartition("'")[2] if extended else re.sub(r"\\(.)", r"\1", quoted) or bare
    return unquote(words, errors="replace")


def _text(written: bytes) -> str:
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "表单要用 UTF-8 · the form is not UTF-8") from None


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    form: dict[str, str] = {}
    for name, value in pairs:
        form[name] = f"{form[name]},{value}" if name in form else value
    return form
