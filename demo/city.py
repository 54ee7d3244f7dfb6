"""The whole demonstration: which source tells which texts, and what changes in its second phase. A seed makes it all."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from demo.dirt import comma, desk, fill, soil
from demo.faults import Faults
from demo.library import Edit, Library, Text, load
from demo.offered import Offered
from demo.people import Person, somebody
from demo.story import PRESENT, Post, Story

PLACES = Path(__file__).parent / "city" / "places.toml"
HOTLINE, RSS, ATOM, JSONFEED, GBK, DISCUZ, WALINE = SOURCES = (
    "demo-hotline",
    "demo-forum",
    "demo-forum-atom",
    "demo-forum-json",
    "demo-forum-gbk",
    "demo-discuz",
    "demo-news",
)
#: of a hundred appeals, how many each source tells
SHARES = {HOTLINE: 40, RSS: 13, ATOM: 9, JSONFEED: 8, GBK: 8, DISCUZ: 12, WALINE: 10}


class Article(msgspec.Struct, frozen=True):
    """A news article (新闻) that people comment on."""

    path: str
    title: str


ARTICLES = (
    Article("/news/2026/1103-metro-line-3.html", "地铁三号线旧驿至望屏段今起试运行"),
    Article("/news/2026/1106-winter-heating.html", "云泽提前五天点火，暖阳热力公布服务热线"),
    Article("/news/2026/1109-night-market.html", "水车坊夜市重新开街，周末人流破三万"),
    Article("/news/2026/1112-old-estate.html", "明年再改造老旧小区六十二个，名单公示"),
    Article("/news/2026/1114-school-canteen.html", "市教育局：中小学食堂下月起全部明厨亮灶"),
    Article("/news/2026/1116-lake-park.html", "明镜湖环湖步道合龙，全长十八公里"),
    Article("/news/2026/1118-bus-routes.html", "四十二条公交线路本月调整，征求意见"),
    Article("/news/2026/1119-flood-river.html", "双河水库除险加固工程通过验收"),
)


class City(msgspec.Struct, frozen=True):
    """Everything the server serves."""

    stories: dict[str, Story]
    offered: Offered
    faults: Faults
    reserve: list[Text]  #: texts that nobody has told yet
    rng: random.Random

    def submit(self, source: str, now: datetime | None = None) -> Post:
        """Let somebody write to a source, live."""
        rng = self.rng
        text = self.reserve.pop(0) if self.reserve else again(rng.choice(load().appeals), rng)
        story = self.stories[source]
        number = max(story.posts, default=0) + 1
        post = _post(source, number, text, rng, PRESENT)
        thread = rng.choice(ARTICLES).path if source == WALINE else str(number)
        return story.add(msgspec.structs.replace(post, thread=thread), now)


def build(seed: int = 1, *, faults: bool = True, stall: float = 2.0, phase_after: int = 1) -> City:
    """Deal the texts to the sources and write each source's two phases."""
    library = load()
    rng = random.Random(f"city/{seed}")
    deal = Deal(library, rng)
    stories = {source: _story(source, deal, random.Random(f"{seed}/{source}"), phase_after) for source in SOURCES}
    return City(stories, Offered(), Faults(seed, on=faults, stall=stall), deal.reserve, random.Random(f"live/{seed}"))


class Deal:
    """The texts, shuffled and dealt: each is told once."""

    def __init__(self, library: Library, rng: random.Random) -> None:
        appeals = rng.sample(library.appeals, len(library.appeals))
        late = LATE * len(SOURCES)
        self._late, self.reserve, rest = appeals[:late], appeals[late : late + 10], appeals[late + 10 :]
        self._hands = dict(_hands(rest))
        self._edits = rng.sample(library.edits, len(library.edits))
        self._chatter = rng.sample(library.chatter, len(library.chatter))

    def hand(self, source: str) -> list[Text]:
        return self._hands[source]

    def late(self) -> Text:
        return self._late.pop()

    def edit(self) -> Edit | None:
        return self._edits.pop() if self._edits else None

    def chatter(self, count: int) -> list[Text]:
        taken, self._chatter = self._chatter[:count], self._chatter[count:]
        return [Text(category="", type="other", body=body) for body in taken]


def _hands(texts: list[Text]) -> Iterator[tuple[str, list[Text]]]:
    total, start, share = len(texts), 0, 0
    for source in SOURCES:
        share += SHARES[source]
        end = total * share // 100
        yield source, texts[start:end]
        start = end


def _story(source: str, deal: Deal, rng: random.Random, phase_after: int) -> Story:
    texts = [*deal.hand(source), *deal.chatter(CHATTER.get(source, 0))]
    rng.shuffle(texts)
    edits = [edit for edit in (deal.edit() for _ in range(EDITS[source])) if edit is not None]
    texts[3:3] = [edit.before for edit in edits]
    start = PRESENT - timedelta(days=9)
    step = (PRESENT - start - timedelta(hours=1)) / (len(texts) + 1)
    posts = []
    for number, text in enumerate(texts, start=1):
        at = start + step * number + timedelta(seconds=rng.randrange(-600, 600))
        posts.append(_post(source, number, text, rng, at.replace(microsecond=0)))
    posts = _placed(source, posts, rng)
    return Story(source, posts, list(_later(source, posts, edits, deal, rng)), phase_after=phase_after)


#: items with older times that appear in each source's second phase
LATE = 3
#: how much idle talk each source carries, and how many of its authors correct themselves
CHATTER = {RSS: 6, ATOM: 3, GBK: 3, DISCUZ: 45, WALINE: 95}
EDITS = {HOTLINE: 5, RSS: 2, ATOM: 1, JSONFEED: 1, GBK: 1, DISCUZ: 2, WALINE: 2}


def _post(source: str, number: int, text: Text, rng: random.Random, at: datetime) -> Post:
    author = somebody(rng, rng.randrange(1000, 9000))
    if source == DISCUZ and rng.random() < 0.1:
        author = msgspec.structs.replace(author, uid=0, nickname="匿名")
    told = msgspec.structs.replace(text, body=desk(text, rng)) if source == HOTLINE else text
    body = soil(fill(told.body, rng), rng)
    return Post(
        number=number,
        at=at,
        author=author,
        text=text,
        title=text.title or text.body[:16],
        body=body,
        address=address(text, rng) if source == HOTLINE else "",
        likes=rng.choice((0, 0, 1, 2, 5, 23)),
        views=rng.randrange(3, 900),
    )


def _placed(source: str, posts: list[Post], rng: random.Random) -> list[Post]:
    """Hang posts under articles or threads; idle talk and every eighth appeal answer somebody."""
    if source not in (DISCUZ, WALINE):
        return posts
    roots: list[Post] = []
    placed = []
    for post in posts:
        idle = not post.text.category
        answers = roots and (rng.random() < (0.95 if source == DISCUZ else 0.45) if idle else rng.random() < 0.12)
        if answers:
            root = rng.choice(roots)
            new = msgspec.structs.replace(
                post, parent=root.number, thread=root.thread, at=max(post.at, root.at + _LATER)
            )
        else:
            thread = rng.choice(ARTICLES).path if source == WALINE else str(post.number)
            new = msgspec.structs.replace(post, thread=thread, sticky=len(roots) in (2, 9))
            roots.append(new)
        placed.append(new)
    return placed


_LATER = timedelta(minutes=11)


def _later(source: str, posts: list[Post], edits: list[Edit], deal: Deal, rng: random.Random) -> Iterator[Post]:
    """Write the second phase: corrections, a comma, likes alone, posts taken back, and late posts with older times."""
    after = {id(edit.before): edit.after for edit in edits}
    touched = PRESENT
    free = [post for post in posts if id(post.text) not in after and post.text.category and not post.sticky]
    parents = {post.parent for post in posts}
    chosen = rng.sample(free, min(9, len(free) // 3))
    for post in posts:
        if id(post.text) in after:
            touched += timedelta(seconds=rng.randrange(20, 200))
            text = after[id(post.text)]
            yield msgspec.structs.replace(post, text=text, body=fill(text.body, rng), edited=1, touched=touched)
    for index, post in enumerate(chosen):
        touched += timedelta(seconds=rng.randrange(20, 200))
        changed = msgspec.structs.replace(post, touched=touched)
        if index < 3:
            yield msgspec.structs.replace(changed, body=comma(post.body), edited=1)
        elif index < 6:
            yield msgspec.structs.replace(changed, likes=post.likes + 17, views=post.views + 240)
        elif post.number not in parents:
            yield msgspec.structs.replace(changed, withdrawn=True)
    for number in range(len(posts) + 1, len(posts) + 1 + LATE):
        touched += timedelta(seconds=rng.randrange(20, 200))
        late = _post(
            source, number, deal.late(), rng, PRESENT - timedelta(days=rng.randrange(1, 4), minutes=rng.randrange(600))
        )
        thread = rng.choice(ARTICLES).path if source == WALINE else str(number)
        yield msgspec.structs.replace(late, touched=touched, thread=thread)


def again(text: Text, rng: random.Random) -> Text:
    """Let somebody else tell a known matter, when every text has been told (live runs go on for ever)."""
    openings = (
        "又来反映一次，",
        "我也遇到同样的事。",
        "替我妈问一下：",
        "上次说的还没解决，",
        "昨天刚发现，",
        "在这里住了十年，第一次写。",
    )
    moments = ("今早", "刚才", "中午那会儿", "周末", "下班路上", "前天夜里")
    body = f"{rng.choice(openings)}{rng.choice(moments)}{rng.randrange(1, 60)}分左右又是这样。{text.body}"
    return msgspec.structs.replace(text, body=body)


def address(text: Text, rng: random.Random) -> str:
    """Tell where it happened as a desk would note it: mostly in full, sometimes in part, sometimes not at all."""
    chance = rng.random()
    if chance < 0.15:
        return ""
    known = [name for name in _pois() if name in text.title or name in text.body]
    name = max(known, key=len) if known else None
    if name is None and any(street.removesuffix("街道") in text.body for street in _streets()):
        return ""
    name = name or rng.choice(sorted(_pois()))
    district, _, street = _pois()[name].partition("/")
    return f"云泽市{district}{street}{name}" if chance < 0.8 else f"{name}附近"


_cache: dict[str, dict[str, str]] = {}


def _pois() -> dict[str, str]:
    if "pois" not in _cache:
        table = tomllib.loads(PLACES.read_text("utf-8"))
        _cache["pois"] = {poi["name"]: poi["area"] for poi in table["poi"]}
        _cache["streets"] = {
            street["name"]: district["name"] for district in table["district"] for street in district["street"]
        }
    return _cache["pois"]


def _streets() -> dict[str, str]:
    _pois()
    return _cache["streets"]
