"""The whole demonstration: seven sources, each with its story, and what an eighth pushes. A seed makes it all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from demo.addresses import address
from demo.articles import ARTICLES
from demo.changes import second_phase
from demo.deal import DISCUZ, EXCHANGE, HOTLINE, SOURCES, WALINE, Hand, deal
from demo.dirt import desk, fill, soil
from demo.faults import Faults
from demo.library import Text, load
from demo.offered import Offered
from demo.people import somebody
from demo.story import PRESENT, Post, Story

#: how long a source's first phase goes back
BACK = timedelta(days=9)
ANONYMOUS = 0.1  #: the share of a board's authors who hide their name
#: the share of idle talk, and of appeals, that answers somebody else's post
ANSWERS = {DISCUZ: (0.95, 0.12), WALINE: (0.45, 0.12)}
STICKY = (2, 9)  #: which threads of a board, and which comments, are pinned to the top (置顶)
SOON = timedelta(minutes=11)


class City(msgspec.Struct, frozen=True):
    """Everything the server serves."""

    stories: dict[str, Story]
    offered: Offered
    faults: Faults
    reserve: list[Text]  #: texts that nobody has told yet
    rng: random.Random

    def submit(self, source: str, now: datetime | None = None) -> Post:
        """Let somebody write to a source, live."""
        text = self.reserve.pop(0) if self.reserve else again(self.rng.choice(load().appeals), self.rng)
        story = self.stories[source]
        return story.add(
            _on_its_own(source, _post(source, story.next_number(), text, self.rng, PRESENT), self.rng), now
        )


def build(seed: int = 1, *, faults: bool = True, stall: float = 2.0, phase_after: int = 1) -> City:
    """Deal the texts to the sources and write each source's two phases."""
    dealt = deal(load(), random.Random(f"deal/{seed}"))
    stories = {
        source: _story(source, dealt.hands[source], random.Random(f"{seed}/{source}"), phase_after)
        for source in SOURCES
    }
    plan = Faults(seed, on=faults, stall=stall)
    return City(stories, Offered(), plan, list(dealt.reserve), random.Random(f"live/{seed}"))


def _story(source: str, hand: Hand, rng: random.Random, phase_after: int) -> Story:
    texts = [*hand.texts[:3], *(edit.before for edit in hand.edits), *hand.texts[3:]]
    step = (BACK - timedelta(hours=2)) / (len(texts) + 1)
    posts = []
    for number, text in enumerate(texts, start=1):
        at = PRESENT - BACK + step * number + timedelta(seconds=rng.randrange(-600, 600))
        posts.append(_post(source, number, text, rng, at.replace(microsecond=0)))
    posts = _placed(source, posts, rng)
    late = [_late(source, len(posts) + index, text, rng) for index, text in enumerate(hand.late, start=1)]
    return Story(source, posts, second_phase(posts, hand, late, rng), phase_after=phase_after)


def _post(source: str, number: int, text: Text, rng: random.Random, at: datetime) -> Post:
    author = somebody(rng, rng.randrange(1000, 9000))
    if source == DISCUZ and rng.random() < ANONYMOUS:
        author = replace(author, uid=0, nickname="匿名")
    is_order = source in {HOTLINE, EXCHANGE}
    told = desk(text, rng) if is_order else text.body
    return Post(
        number=number,
        at=at,
        author=author,
        text=text,
        title=text.title or text.body[:16],
        body=soil(fill(told, rng), rng),
        address=address(text, rng) if is_order else "",
        likes=rng.choice((0, 0, 1, 2, 5, 23)),
        views=rng.randrange(3, 900),
    )


def _late(source: str, number: int, text: Text, rng: random.Random) -> Post:
    """Somebody's post was held back for review: it appears days after it was written."""
    written = PRESENT - timedelta(days=rng.randrange(1, 4), minutes=rng.randrange(600))
    return _on_its_own(source, _post(source, number, text, rng, written), rng)


def _on_its_own(source: str, post: Post, rng: random.Random) -> Post:
    """Give a post that answers nobody its place: a thread of its own, or an article."""
    return replace(post, thread=rng.choice(ARTICLES).path if source == WALINE else str(post.number))


def _placed(source: str, posts: Sequence[Post], rng: random.Random) -> list[Post]:
    """Hang posts under articles or threads: most idle talk and a few appeals answer somebody."""
    if source not in ANSWERS:
        return list(posts)
    idle_share, appeal_share = ANSWERS[source]
    roots: list[Post] = []
    placed = []
    for post in posts:
        share = appeal_share if post.text.category else idle_share
        if roots and rng.random() < share:
            root = rng.choice(roots)
            placed.append(replace(post, parent=root.number, thread=root.thread, at=max(post.at, root.at + SOON)))
        else:
            roots.append(replace(_on_its_own(source, post, rng), sticky=len(roots) in STICKY))
            placed.append(roots[-1])
    return placed


_OPENINGS = (
    "又来反映一次，",
    "我也遇到同样的事。",
    "替我妈问一下：",
    "上次说的还没解决，",
    "昨天刚发现，",
    "在这里住了十年，第一次写。",
)
_MOMENTS = ("今早", "刚才", "中午那会儿", "周末", "下班路上", "前天夜里")


def again(text: Text, rng: random.Random) -> Text:
    """Let somebody else tell a known matter, when every text has been told (live runs go on for ever)."""
    moment = f"{rng.choice(_MOMENTS)}{rng.randrange(1, 60)}分左右又是这样。"
    return replace(text, body=rng.choice(_OPENINGS) + moment + text.body)
