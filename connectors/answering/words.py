"""Comparing what we wrote with what a server shows of it."""

from __future__ import annotations


def bare(text: str) -> str:
    """Compare words, not their markup: the server renders what we wrote."""
    kept, inside = [], False
    for letter in text:
        if letter == "<":
            inside = True
        elif letter == ">":
            inside = False
        elif not inside and letter.isalnum():
            kept.append(letter)
    return "".join(kept)
