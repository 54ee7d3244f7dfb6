"""Real servers of other people, read with settings alone: what is posted, edited and taken back there arrives here.

The judge is the server itself: what it shows and how many it says there are.
"""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.live.reading import Arrived, Citizens, marked, reading
from tests.live.sites.isso import Isso
from tests.live.sites.misago import Misago
from tests.live.sites.roundup import Roundup
from tests.live.sites.site import Site
from tests.live.sites.waline import Waline

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]
SENT = {"delivered"}  #: where a department has it


def prove(site: Site, arrived: dict[str, Arrived]) -> None:
    """What is here and not withdrawn is exactly what is there, in its newest words."""
    living = site.living()
    assert len(living) == site.count()
    here = {id_: item.mark for id_, item in arrived.items() if not item.withdrawn}
    assert here == {id_: marked(text) for id_, text in living.items()}


def fill(citizens: Citizens) -> list[str]:
    """Enough for several pages everywhere: threads, replies to new ones and old, one long thread."""
    ids = [citizens.post() for _ in range(30)]
    ids += [citizens.post(to=ids[number % 5]) for number in range(10)]
    return ids + [citizens.post(to=ids[3]) for _ in range(26)]


def test_what_is_posted_edited_and_deleted_there_arrives_as_new_revised_and_withdrawn(
    site: Site, tmp_path: Path
) -> None:
    citizens = Citizens(site)
    with reading(site, tmp_path / "house") as street:
        ids = fill(citizens)
        street.read()
        first = street.arrived()
        prove(site, first)
        assert set(first) == set(ids)
        assert {item.revision for item in first.values()} == {1}

        pages = street.pages()
        street.read()
        assert street.pages() == pages, "what did not change makes no work"

        edited, gone = [ids[1], ids[29], ids[31], ids[-1]], [ids[20], ids[32], ids[-2]]
        new = [citizens.post(), citizens.post(to=ids[0]), citizens.post(to=ids[3])]
        for id_ in edited:
            citizens.edit(id_)
        for id_ in gone:
            citizens.delete(id_)
        street.read()
        street.read()  # absent from two complete readings: only that proves it

        second = street.arrived()
        prove(site, second)
        assert set(second) == {*ids, *new}
        assert {id_: item.revision for id_, item in second.items() if item.revision > 1} == dict.fromkeys(
            [*edited, *gone], 2
        )
        assert {id_ for id_, item in second.items() if item.state == "withdrawn"} == set(gone)
        for id_ in edited:
            assert second[id_].mark[1] == 2
            if first[id_].state in SENT:
                assert second[id_].told & {"updated", "recalled"}
        assert any(first[id_].state in SENT for id_ in edited), "nothing that a department has was edited"
        assert all("withdrawn" in second[id_].told for id_ in gone if first[id_].state in SENT)
        assert all("dispatched" in second[id_].told for id_ in new if second[id_].state in SENT)


def test_what_happens_while_it_is_read_arrives_as_well(site: Site, tmp_path: Path) -> None:
    """Lists shift under the reader: people write, edit and take back without a pause, and the worker is killed."""
    citizens, chance = Citizens(site), random.Random(1)
    with reading(site, tmp_path / "house") as street:
        ids = fill(citizens)
        worker = street.house.start("run", "--embedded")
        try:
            for number in range(90):
                fate, id_ = chance.random(), chance.choice(ids[4:])
                if fate < 0.5:
                    ids.append(citizens.post(to=chance.choice([None, ids[0], ids[3]])))
                elif fate < 0.75:
                    citizens.edit(id_)
                elif id_ in ids[30:]:  # nothing hangs under it
                    citizens.delete(id_)
                    ids.remove(id_)
                if number in {30, 60}:
                    street.await_reading()
                    worker.kill()
                    worker.wait()
                    worker = street.house.start("run", "--embedded")
            street.await_reading()
            worker.send_signal(signal.SIGINT)
            assert worker.wait(30) == 0
        finally:
            worker.kill()
            worker.wait()
        street.read()
        street.read()

        arrived = street.arrived()
        prove(site, arrived)
        assert set(ids) <= set(arrived) <= {*ids, *citizens.taken_back}


def test_a_deleted_comment_that_has_replies_is_withdrawn_and_they_stay(an_isso: Isso, tmp_path: Path) -> None:
    """Isso keeps its place, without its words."""
    citizens = Citizens(an_isso)
    with reading(an_isso, tmp_path / "house") as street:
        root = citizens.post()
        reply = citizens.post(to=root)
        street.read()
        citizens.delete(root)
        street.read()

        arrived = street.arrived()
        prove(an_isso, arrived)
        assert (arrived[root].state, arrived[reply].withdrawn) == ("withdrawn", False)
        assert arrived[root].mark == (1, 1), "the words that it had are kept"


def test_a_comment_held_for_review_comes_back_with_its_old_time(a_waline: Waline, tmp_path: Path) -> None:
    citizens = Citizens(a_waline)
    with reading(a_waline, tmp_path / "house") as street:
        ids = [citizens.post() for _ in range(20)]
        reply = citizens.post(to=ids[4])
        street.read()
        a_waline.change(ids[2], status="waiting")
        a_waline.change(ids[9], sticky=1)
        citizens.delete(ids[4])  # and its reply with it
        street.read()
        street.read()
        held = street.arrived()
        prove(a_waline, held)
        assert {id_ for id_, item in held.items() if item.withdrawn} == {ids[2], ids[4], reply}

        a_waline.change(ids[2], status="approved")
        street.read()
        back = street.arrived()
        prove(a_waline, back)
        assert (back[ids[2]].withdrawn, back[ids[2]].revision) == (False, 3)


def test_hidden_posts_are_withdrawn_and_what_moderators_do_is_no_appeal(a_misago: Misago, tmp_path: Path) -> None:
    citizens = Citizens(a_misago)
    with reading(a_misago, tmp_path / "house") as street:
        first, second = citizens.post(), citizens.post()
        replies = [citizens.post(to=first) for _ in range(3)]
        citizens.post(to=second)
        street.read()
        a_misago.hide(replies[1], hidden=True)
        a_misago.close(first)
        a_misago.delete(second)
        street.read()
        street.read()
        hidden = street.arrived()
        here = {id_: item.mark for id_, item in hidden.items() if not item.withdrawn}
        assert here == {id_: marked(text) for id_, text in a_misago.living().items()}
        assert {id_ for id_, item in hidden.items() if item.withdrawn} == set(hidden) - {first, replies[0], replies[2]}

        a_misago.hide(replies[1], hidden=False)
        street.read()
        assert not street.arrived()[replies[1]].withdrawn


def test_the_words_of_an_order_are_its_first_message(a_roundup: Roundup, tmp_path: Path) -> None:
    """Ids are numbers in quotes: 10 comes after 9; what a clerk adds is no new text of the citizen."""
    citizens = Citizens(a_roundup)
    with reading(a_roundup, tmp_path / "house") as street:
        ids = [citizens.post() for _ in range(12)]
        street.read()
        for id_ in ids:
            a_roundup.answer(id_, "已转办住建部门，三个工作日内答复。")
        street.read()

        arrived = street.arrived()
        prove(a_roundup, arrived)
        assert {item.revision for item in arrived.values()} == {1}
