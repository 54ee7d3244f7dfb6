"""XML as data: elements become objects, repeated ones lists, texts stay texts. Pure.

A document type is refused, not read: what it may unfold into is nobody's appeal.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from connectors.errors import FormatChanged
from connectors.reading.encoding import html_answer

_HEAD = re.compile(r"^\s*<\?xml[^>]*\?>")


def root_of(text: str, where: str, mend: str) -> ET.Element:
    """Parse a text that was decoded already; `mend` is what an operator may check."""
    if "<!doctype" in text[:2000].lower():
        raise html_answer(text, where)
    try:
        return ET.fromstring(_HEAD.sub("", text.lstrip("\ufeff")))  # noqa: S314  no document type, so nothing unfolds
    except ET.ParseError as error:
        if "<html" in text[:2000].lower():
            raise html_answer(text, where) from error
        raise FormatChanged(f"{where} answered XML that is not well formed ({error}); check {mend}") from error


def element_in(text: str, where: str, mend: str) -> Any:  # noqa: ANN401
    """What stands below the root."""
    try:
        return data_of(root_of(text, where, mend))
    except RecursionError as error:
        raise FormatChanged(f"{where} answered XML that is nested too deeply; check {mend}") from error


def data_of(element: ET.Element) -> Any:  # noqa: ANN401
    """An element as JSON would have it; attributes beside its children as @name, its own text then as #text."""
    text = (element.text or "").strip()
    if len(element) == 0 and not element.attrib:
        return text
    found: dict[str, Any] = {f"@{local(name)}": value for name, value in element.attrib.items()}
    several: dict[str, list[Any]] = {}
    for each in element:
        name, value = local(each.tag), data_of(each)
        if name in several:
            several[name].append(value)
        elif name in found:
            found[name] = several[name] = [found[name], value]
        else:
            found[name] = value
    return {**found, "#text": text} if text else found


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
