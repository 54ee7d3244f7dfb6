"""One source's posts and how they change: the demonstration's time moves by phases, not by the clock.

Phase 1 is what the source shows at first. Phase 2 begins once, after the source has been read to its end as often as
`phase_after` says (0: never by itself), or by POST /demo/phase: late items with older times appear, posts are edited,
posts are taken back. There is no phase 3, so every run ends. What "read to its end" means stands with each wire shape.

A reader that is killed between the last answer and his own store can miss what phase 2 takes back: tests that kill
readers use phase_after=0 and begin phase 2 themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from demo.library import Text
from demo.people import Person

#: the story's own present: a Friday evening in 云泽市, local time; phase 2 happens in the hour after it
PRESENT = datetime(2026, 11, 20, 21, 0, 0)  # noqa: DTZ001 - the wire shapes speak local time without a zone


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One item as it stands now, whatever the wire makes of it."""

    number: int
    at: datetime  #: when its author wrote it, local
    author: Person
    text: Text
    title: str
    body: str
    address: str = ""  #: where it happened, as a desk would have asked
    likes: int = 0
    views: int = 0
    parent: int | None = None  #: the post it answers
    thread: str = ""  #: the article or thread it stands under
    sticky: bool = False
    edited: int = 0  #: changes of content
    touched: datetime | None = None  #: when anything of it last changed; None is `at`
    withdrawn: bool = False

    @property
    def changed_at(self) -> datetime:
        """When anything of it last changed."""
        return self.touched or self.at


class Story:
    """The posts of one source, in two phases."""

    def __init__(self, name: str, posts: Iterable[Post], later: Iterable[Post], *, phase_after: int = 1) -> None:
        self.name = name
        self.phase = 1
        self.completed = 0
        self.posts = {post.number: post for post in posts}
        self._later = tuple(later)
        self._phase_after = phase_after

    def live(self) -> list[Post]:
        """List what the source shows: everything that was not taken back."""
        return [post for post in self.posts.values() if not post.withdrawn]

    def read_to_end(self) -> None:
        """A reader has seen the last page: after the first time, the second phase begins."""
        self.completed += 1
        if self._phase_after and self.completed >= self._phase_after:
            self.advance()

    def advance(self) -> bool:
        """Begin phase 2, once; say whether that happened now."""
        if self.phase != 1:
            return False
        self.phase = 2
        for post in self._later:
            self.posts[post.number] = post
        return True

    def next_number(self) -> int:
        """Number the next post."""
        return max(self.posts, default=0) + 1

    def newest(self) -> datetime:
        """Tell the latest moment at which anything changed."""
        return max((post.changed_at for post in self.posts.values()), default=PRESENT)

    def add(self, post: Post, now: datetime | None = None) -> Post:
        """Add a post live: later than everything before it, so that no cursor passes it by."""
        at = max(now or PRESENT, self.newest() + timedelta(seconds=37))
        added = msgspec.structs.replace(post, at=at, touched=None)
        self.posts[added.number] = added
        return added
