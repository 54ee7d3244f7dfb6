"""Read the masked text once an automaton; the later steps look only at what was found."""

from __future__ import annotations

from normalizer.draft import Draft
from normalizer.tables import Tables

#: What a letter is about stands in its beginning; beyond this many characters nothing is looked for.
REACH = 3000


def scan(draft: Draft, tables: Tables) -> None:
    """Find keywords, cues and patterns in title and text as one body."""
    title = draft.title
    body = f"{title}\n{draft.text}" if title else draft.text
    if len(body) > REACH:
        body = body[:REACH]
    draft.body = body
    draft.title_end = len(title) if title else -1
    draft.keywords = tables.keywords.find(body)
    draft.cues = tables.cues.find(body)
    draft.patterns = tables.patterns.find(body)
    if draft.masked:  # 〔身份证1〕 does not make it a matter of identity cards
        draft.keywords = [span for span in draft.keywords if body[span[1] - 1 : span[1]] != "〔"]
        draft.patterns = [hit for hit in draft.patterns if body[hit.start - 1 : hit.start] != "〔"]
