"""Free a text from the page it stood on (去页面杂物): spam, furniture, column breaks; of clean and simplified text."""

from __future__ import annotations

from normalizer.draft import Draft
from normalizer.steps.repair.columns import joined
from normalizer.steps.repair.furniture import without_furniture, without_noise
from normalizer.steps.repair.spots import Repaired, Spot, written
from normalizer.tables import Tables

#: A page has at least so many lines.
LINES = 3


def off_page(text: str) -> Repaired:
    """Leave only what somebody wrote."""
    made = without_noise(text)
    text, spots = made
    if text.count("\n") + 1 >= LINES:
        for step in (without_furniture, joined):
            made = step(text)
            text = made.text
            spots = (*spots, *made.spots)
    return Repaired(text, spots)


def take_off_page(draft: Draft, _tables: Tables) -> None:
    """Do it to the text, and to the reply."""
    draft.text = _freed("text", draft.text, draft)
    if draft.reply_text is not None:
        draft.reply_text = _freed("reply", draft.reply_text, draft)


def _freed(field: str, text: str, draft: Draft) -> str:
    if "\n" not in text and "@" not in text and not "!" <= text[-1:] <= "~":
        return text  # one line that ends as lines end: most texts
    made = off_page(text)
    if made.spots:
        _record(field, made.spots, draft)
    return made.text


def _record(field: str, spots: tuple[Spot, ...], draft: Draft) -> None:
    for spot in spots:
        draft.note(spot.repair)
    draft.notes += written(field, spots)
