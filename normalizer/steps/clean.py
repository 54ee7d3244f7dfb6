"""Repair the wording (清洗): control characters, HTML, full-width letters, blanks, quotes and signatures of handsets.

One search decides whether a text needs anything at all; most need only their ends stripped.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape

import msgspec

from normalizer.draft import Draft
from normalizer.steps.everyday import BLANKS
from normalizer.tables import Tables

_BREAK = re.compile(r"<\s*(?:br|/p|/div|/li|/tr|/h[1-6]|/blockquote)\b[^<>]*>", re.IGNORECASE)
_UNSEEN = re.compile(
    r"<(script|style|blockquote)\b[^<>]*>.*?</\1\s*>|<!--.*?-->|<i class=\"pstatus\">.*?</i>", re.IGNORECASE | re.DOTALL
)
_IMAGE = re.compile(r"<img\b[^<>]*?\balt=[\"']([^\"'<>]{1,40})[\"'][^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,10});")
_QUOTE = re.compile(r"\[quote\b[^\]]*\].*?\[/quote\]", re.IGNORECASE | re.DOTALL)
_QUOTE_LINE = re.compile(
    r"^[ >]*(?:引用|回复)[ :：]?[^\n]{0,24}(?:的(?:发言|话|帖子|评论)|发表的?|\d+\s*[楼#])[^\n]*\n?", re.MULTILINE
)
_BBCODE = re.compile(
    r"\[/?(?:attach|attachimg|img|media|url|font|size|color|b|i|u|align|backcolor|hide)\b[^\]]*\]", re.IGNORECASE
)
_ATTACH_TOKEN = re.compile(r"\[(attach|attachimg|img|media)\b[^\]]*\][^\[]*\[/\1\]", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"\s*(?:[-—–_ ]{0,6}\s*)(?:发自|发送自|来自|发表自|via)\s?(?:我的|手机|[^\n。！？，,]{0,12})?"
    r"(?:iPhone|iPad|安卓|Android|华为|小米|手机|客户端|[vV][iI][vV][oO]|OPPO|荣耀|三星|HUAWEI|APP|App|app|小程序)[^\n。！？，,]{0,14}\s*$"
)
_EDITED = re.compile(r"^\s*(?:本帖最后由[^\n]{1,40}编辑|\[ ?此帖被[^\n\]]{1,40}(?:编辑|修改) ?\])\s*")
#: A signature stands in the last characters.
TAIL = 60

#: One search says whether anything of this kind is in a text.
_CONTROL = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064"
    r"\ufeff\ufff9-\ufffb\ud800-\udfff\ufffe\uffff"
)
_BLANK = r"\t\r\xa0\u2000-\u200a\u202f\u205f\u3000"
_WIDE = r"\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff20"
#: Words are looked for from their first character on: one class of characters is what is found the fastest.
_SIGNS = re.compile(
    f"[<&\\[{_CONTROL}{_BLANK}{_WIDE} \n引回本]"
    r"(?:(?<=[^ \n引回本])|(?<= )[ ]|(?<=\n) ?\n|(?<=引)用|(?<=回)复|(?<=本)帖最后由)"
)
_CONTROLS = re.compile(f"[{_CONTROL}]+")
_WIDES = re.compile(f"[{_WIDE}]+")
_BLANKS = re.compile(f"[ {_BLANK}]+")
_LINES = re.compile(r"(?: \n|\n) ?(?:\n ?)*")
#: Digits of other scripts and styles (①②③ are none): folded, so that no number hides in them.
_ODD_DIGIT = re.compile(
    f"[{''.join(sign for sign in map(chr, range(0x80, 0x10000)) if sign.isdecimal())}\U0001d7ce-\U0001d7ff]"
)
_FOLD = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), 0xFF20)
}


def clean(draft: Draft, _tables: Tables) -> None:
    """Repair every text that people will read."""
    cleaned = _everyday if draft.everyday else clean_text
    draft.title = cleaned(draft.title, draft).replace("\n", " ")
    draft.text = cleaned(draft.text, draft)
    if draft.address is not None:
        draft.address = cleaned(draft.address, draft).replace("\n", " ") or None
    if draft.reply_text is not None:
        draft.reply_text = clean_text(draft.reply_text, draft) or None
    if draft.attachments:
        draft.attachments = [
            msgspec.structs.replace(one, name=clean_text(one.name, draft) or None) if one.name else one
            for one in draft.attachments
        ]
    _clean_rest(draft)


def _clean_rest(draft: Draft) -> None:
    """Repair what is rarely there: a number may hide in any of it."""
    if draft.thread.about:
        draft.thread = msgspec.structs.replace(draft.thread, about=clean_text(draft.thread.about, draft) or None)
    if draft.subject_entity is not None:
        draft.subject_entity = clean_text(draft.subject_entity, draft) or None
    if draft.handler is not None:
        draft.handler = clean_text(draft.handler, draft) or None
    if draft.reply_by is not None:
        draft.reply_by = clean_text(draft.reply_by, draft) or None
    if draft.given is not None and draft.given.name is not None:
        draft.given = msgspec.structs.replace(draft.given, name=clean_text(draft.given.name, draft) or None)
    if draft.url is not None and not draft.url.isascii():
        draft.url = _WIDES.sub(lambda found: found[0].translate(_FOLD), draft.url)


def clean_text(text: str, draft: Draft) -> str:
    """Repair one text and note in the draft what was done to it."""
    if not text:
        return text
    ascii_only = text.isascii()
    if _SIGNS.search(text) is not None:
        text = _scrub(text, draft)
    if ascii_only:
        return text.strip()
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
        draft.note("nfc")
    if _ODD_DIGIT.search(text) is not None:
        text = _ODD_DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), text)
        draft.note("digits")
    return _without_ends(text, draft)


def _everyday(text: str, draft: Draft) -> str:
    """Repair a text of everyday characters: its ends are all that there is to do."""
    bare = text.strip(BLANKS)
    if bare != text:
        before, _, behind = text.partition(bare) if bare else (text, "", "")
        clean_text(f"{before}。{behind}", draft)  # notes what is done to the blanks, whatever stands between them
    return bare.strip() if text.isascii() else _without_ends(bare, draft)


def _without_ends(text: str, draft: Draft) -> str:
    tail = text[-TAIL:]
    if "自" in tail or "via" in tail:
        text = _without(_SIGNATURE, text, "signature", draft)
    return text.strip()


def _scrub(text: str, draft: Draft) -> str:
    """Do what the search found to be needed; markup first, for it may hide all the rest."""
    if "<" in text or "&" in text:
        text = _without_markup(text, draft)
    if _CONTROLS.search(text) is not None:
        text = _CONTROLS.sub("", text)
        draft.note("control")
    if _WIDES.search(text) is not None:
        text = _WIDES.sub(lambda found: found[0].translate(_FOLD), text)
        draft.note("fullwidth")
    spaced = _LINES.sub("\n", _BLANKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")))
    if spaced != text:
        text = spaced
        draft.note("space")
    if "[" in text:
        text = _without_brackets(text, draft)
    if "编辑" in text or "修改" in text:
        text = _without(_EDITED, text, "edited", draft)
    if "引用" in text or "回复" in text:
        text = _without(_QUOTE_LINE, text, "quote", draft)
    return text


def _without_markup(text: str, draft: Draft) -> str:
    if "<" in text and _TAG.search(text) is not None:
        text = _UNSEEN.sub("\n", text)
        text = _IMAGE.sub(r"\1", _BREAK.sub("\n", text))
        text = _TAG.sub("", text)
        draft.note("html")
    if "&" in text and _ENTITY.search(text) is not None:
        text = unescape(text)
        draft.note("html")
    return text


def _without_brackets(text: str, draft: Draft) -> str:
    text = _without(_QUOTE, text, "quote", draft)
    bare = _BBCODE.sub("", _ATTACH_TOKEN.sub("", text))
    if bare != text:
        draft.note("bbcode")
    return bare


def _without(pattern: re.Pattern[str], text: str, repair: str, draft: Draft) -> str:
    """Take something out, unless nothing would be left."""
    bare = pattern.sub("", text)
    if bare == text or not bare.strip():
        return text
    draft.note(repair)
    return bare
