import pytest

from bench.row import Pair, Sample, faster, in_turn


def test_both_sides_run_in_turn_so_that_a_noisy_neighbour_slows_both() -> None:
    ran: list[str] = []

    def side(name: str) -> Sample:
        ran.append(name)
        return Sample(1.0)

    in_turn(lambda: side("ours"), lambda: side("baseline"), 2, lambda _: None)

    assert ran == ["ours", "baseline", "ours", "baseline"]


def test_the_ratio_is_the_median_of_neighbours_not_of_all_runs() -> None:
    pairs = [Pair(Sample(90), Sample(100)), Pair(Sample(9), Sample(10)), Pair(Sample(50), Sample(10))]

    row = faster("x", "a | b", pairs, unit="records/s", at_least=0.9)

    assert row.ratio == pytest.approx(0.9)
    assert row.met


def test_a_row_below_its_goal_says_so() -> None:
    row = faster("x", "a | b", [Pair(Sample(59), Sample(100))], unit="records/s", at_least=0.6)

    assert not row.met


def test_a_row_without_a_goal_only_tells() -> None:
    row = faster("x", "a | b", [Pair(Sample(1), Sample(100))], unit="records/s")

    assert row.met
    assert row.goal is None


def test_another_figure_of_the_same_run_may_be_compared() -> None:
    pair = Pair(Sample(100, {"messages_a_second": 130.0}), Sample(200)).by("messages_a_second")

    assert pair.ratio == pytest.approx(0.65)
