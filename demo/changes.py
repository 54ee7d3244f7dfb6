"""The second phase of a source: corrections, a comma, likes alone, posts taken back, late posts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from demo.deal import Hand
from demo.dirt import comma, fill
from demo.library import Edit, Text
from demo.story import PRESENT, Post

COMMAS, LIKES, TAKEN_BACK = 3, 3, 3  #: how many of each, at most


def second_phase(posts: Sequence[Post], hand: Hand, late: Sequence[Post], rng: random.Random) -> list[Post]:
    """Write every post that is new or different in the second phase, in the order in which it happens."""
    corrections = {edit.before: edit for edit in hand.edits}
    changes = [*_corrected(posts, corrections, rng), *_touched(posts, corrections, rng), *late]
    moments = _moments(rng)
    return [replace(post, touched=next(moments)) for post in changes]


def _moments(rng: random.Random) -> Iterator[datetime]:
    moment = PRESENT
    while True:
        moment += timedelta(seconds=rng.randrange(20, 200))
        yield moment


def _corrected(posts: Sequence[Post], corrections: Mapping[Text, Edit], rng: random.Random) -> Iterator[Post]:
    """Authors correct themselves: another department must answer now."""
    for post in posts:
        if post.text in corrections:
            after = corrections[post.text].after
            yield replace(post, text=after, body=fill(after.body, rng), edited=1)


def _touched(posts: Sequence[Post], corrections: Mapping[Text, Edit], rng: random.Random) -> Iterator[Post]:
    """Small things happen to others; whoever was answered is not taken back, for the answers would go with him."""
    answered = {post.parent for post in posts}
    appeals = [post for post in posts if post.text not in corrections and post.text.category and not post.sticky]
    quiet = [post for post in appeals if post.number not in answered]
    gone = rng.sample(quiet, TAKEN_BACK)
    others = rng.sample([post for post in appeals if post not in gone], COMMAS + LIKES)
    for post in others[:COMMAS]:
        yield replace(post, body=comma(post.body), edited=1)
    for post in others[COMMAS:]:
        yield replace(post, likes=post.likes + 17, views=post.views + 240)
    for post in gone:
        yield replace(post, withdrawn=True)
