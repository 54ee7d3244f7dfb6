"""Give an appeal without a title a short one (诉求标题): its first clause, at most 30 characters."""

from __future__ import annotations

import re

from normalizer.draft import Draft
from normalizer.tables import Tables

MOST = 30
LEAST = 6
_CLAUSE_END = re.compile(r"[。！？；!?;\n]|[，,](?=.)")
_SALUTATION = re.compile(
    r"^(?:尊敬的[^，,：:。！\n]{0,20}[，,：:。！\n]|(?:您好|你好|领导好|各位领导)[^\u4e00-\u9fffA-Za-z0-9〔]*)+\s*"
)


def entitle(draft: Draft, _tables: Tables) -> None:
    """Set the title where the source has none; a placeholder is never cut in two."""
    if not draft.title:
        draft.title = title_of(draft.text)


def title_of(text: str) -> str:
    """Take the first clause that says something."""
    begin = _SALUTATION.match(text)
    rest = text[begin.end() :] if begin is not None and begin.end() < len(text) else text
    end = len(rest)
    for mark in _CLAUSE_END.finditer(rest, LEAST):
        end = mark.start()
        break
    title = rest[: min(end, MOST)].strip()
    opened = title.rfind("〔")
    if opened > title.rfind("〕"):
        title = title[:opened].strip() or rest[: rest.find("〕") + 1]
    return title
