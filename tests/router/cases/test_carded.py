"""A department stands under a card for what it still has to do, until it has done it or its deadline was moved."""

from __future__ import annotations

from datetime import timedelta

from router.cases.case import Case
from router.cases.centre import decide_ask, reopen
from router.cases.clock import next_look
from router.cases.looking import look
from router.cases.standing import standing
from router.cases.work import Ask
from tests.router.cases.histories import CLOCK, history
from tests.router.cases.test_hearing import delivered, heard, said
from tests.router.city import AT


def shown(case: Case, days: float) -> Case:
    """Look as often as there is something to see until then."""
    until = AT + timedelta(days=days)
    case.due = next_look(case, CLOCK)
    while case.due is not None and case.due <= until:
        case = look(case, CLOCK, case.due)
    return case


def test_a_card_stands_until_what_was_due_is_done() -> None:
    case = shown(delivered("ZJJ+CGJ"), 30)
    handling = standing(case)
    assert (handling.card, handling.tracks["ZJJ"].card, handling.tracks["CGJ"].card) == ("red", "red", "red")
    first = handling.tracks["ZJJ"].carded_at
    assert first is not None
    assert first < AT + timedelta(days=8), "since the first red one, not the last"
    case = heard(case, said(case, "resolved", 60 * 24 * 31), at=AT + timedelta(days=31))
    assert standing(case).tracks["ZJJ"].card is None
    assert standing(case).card == "red", "the assisting one has not done its part"


def test_yellow_becomes_red_and_signing_ends_the_card_of_signing() -> None:
    clocked = delivered("ZJJ")
    days = ((next_look(clocked, CLOCK) or AT) - AT) / timedelta(days=1)
    yellow = shown(clocked, days)
    assert standing(yellow).card == "yellow"
    signed = heard(yellow, said(yellow, "accepted", int(days * 1440) + 1), at=AT + timedelta(days=days, minutes=1))
    assert standing(signed).card is None


def test_a_granted_extension_takes_the_card_of_closing_away_until_the_new_deadline_comes_near() -> None:
    case = delivered("ZJJ")
    case = heard(case, said(case, "accepted"), said(case, "contacted", 2), said(case, "interim", 3))
    case = heard(case, said(case, "extension_requested", 10), at=AT + timedelta(hours=2))
    case = shown(case, 5.1)
    assert standing(case).card == "yellow"
    case = decide_ask(case, "ZJJ", Ask.EXTENSION, "王", "是", AT + timedelta(days=5.1), granted=True)
    assert standing(case).card is None
    assert standing(shown(case, 60)).card == "red"


def test_a_suspension_takes_away_the_card_of_what_was_not_over_and_no_other() -> None:
    for days, card in ((6.5, "red"), (5.1, None)):  # five working days end after 5.6 days
        case = delivered("ZJJ")
        case = heard(case, said(case, "accepted"), said(case, "contacted", 2), said(case, "interim", 3))
        case = shown(case, days)
        at = AT + timedelta(days=days)
        case = heard(case, said(case, "suspended", int(days * 1440)), at=at)
        case = decide_ask(case, "ZJJ", Ask.SUSPENSION, "王", "是", at + timedelta(hours=1), granted=True)
        assert standing(case).card == card
        case = heard(case, said(case, "resumed", int(days * 1440) + 120), at=at + timedelta(hours=2))
        assert standing(case).card == card


def test_another_round_begins_without_cards() -> None:
    case = shown(delivered("ZJJ"), 30)
    case = heard(case, said(case, "resolved", 60 * 24 * 31), at=AT + timedelta(days=31))
    again = reopen(case, "李", "未解决", AT + timedelta(days=32))
    assert standing(again).card is None


def test_what_is_resolved_stands_under_no_card_in_any_history() -> None:
    for seed in range(300):
        handling = standing(history(seed)[0])
        for track in handling.tracks.values():
            assert track.resolved is None or track.card is None
            assert (track.card is None) == (track.carded_at is None)
