"""Read the masked text once an automaton; the later steps look only at what was found.

A step an automaton: each is larger than a processor's nearest cache, and a group of drafts goes through one after the
other. All three for each draft took a quarter more.
"""

from __future__ import annotations

from normalizer.draft import Draft
from normalizer.tables import Tables

#: What a letter is about stands in its beginning; beyond this many characters nothing is looked for.
REACH = 3000


def find_keywords(draft: Draft, tables: Tables) -> None:
    """Put title and text together as one body, and find what it is about."""
    title = draft.title
    body = f"{title}\n{draft.text}" if title else draft.text
    if len(body) > REACH:
        body = body[:REACH]
    draft.body = body
    draft.title_end = len(title) if title else -1
    draft.keywords = tables.keywords.find(body)
    if draft.masked:  # 〔身份证1〕 does not make it a matter of identity cards
        draft.keywords = [span for span in draft.keywords if body[span[0] - 1 : span[0]] != "〔"]


def find_cues(draft: Draft, tables: Tables) -> None:
    """Find the words that tell everything else."""
    draft.cues = tables.cues.find(draft.body)


def find_patterns(draft: Draft, tables: Tables) -> None:
    """Find what several words say together."""
    body = draft.body
    draft.patterns = tables.patterns.find(body)
    if draft.masked:
        draft.patterns = [hit for hit in draft.patterns if body[hit.start - 1 : hit.start] != "〔"]


#: In this order: the first makes the body that all read.
SCAN = (find_keywords, find_cues, find_patterns)


def scan(draft: Draft, tables: Tables) -> None:
    """Do all of it to one draft."""
    for step in SCAN:
        step(draft, tables)
