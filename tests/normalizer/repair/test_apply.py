"""The order of repairs, what is written down about them, and what they cost where there is nothing to do."""

from collections.abc import Callable
from pathlib import Path
from time import process_time

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Normalized
from normalizer.steps.repair.apply import may_be_broken, repair_text

SEEDS = Path(__file__).parents[4] / "shared" / "seeds"

Raw = Callable[..., RawAppeal]


def test_repair_then_readings_then_simplified(raw: Raw, normalized: Callable[[RawAppeal], Normalized]) -> None:
    made = normalized(raw({"text": "網(wǎng)上辦(bàn)事大廳(tīng)的電(diàn)話(huà)打不通，請(qǐng)處(chǔ)理。"})).appeal

    assert made.text == "网上办事大厅的电话打不通，请处理。"
    assert made.quality.repairs == ["ruby", "traditional"]
    assert made.quality.notes[0].startswith("ruby text 1-7 ")


def test_every_field_that_people_read_is_repaired(raw: Raw, normalized: Callable[[RawAppeal], Normalized]) -> None:
    broken = "路灯坏了没人修".encode("gbk").decode("latin-1")
    made = normalized(raw({"text": "请看标题", "title": broken, "reply": broken})).appeal

    assert made.title == "路灯坏了没人修"
    assert made.official_reply is not None
    assert made.official_reply.text == "路灯坏了没人修"
    assert made.quality.notes == [f"latin1 title 0-{len(broken)}", f"latin1 reply 0-{len(broken)}"]


def test_what_is_lost_is_flagged_and_stays_as_it_is(raw: Raw, normalized: Callable[[RawAppeal], Normalized]) -> None:
    made = normalized(raw("锟斤拷锟斤拷锟斤拷路灯坏了")).appeal

    assert "路灯坏了" in made.text
    assert made.quality.notes == ["unreadable text 0-9"]


def test_repairing_twice_changes_nothing_more(
    sentences: tuple[str, ...], slip: Callable[[str, int, bytes], str]
) -> None:
    for sentence in sentences:
        once = repair_text(slip(sentence, 5, b"?")).text

        assert repair_text(once).text == once


def test_the_gate_lets_clean_text_pass_quickly(sentences: tuple[str, ...]) -> None:
    """A million texts a second on a machine of its own; a quarter of that is asked for beside other work."""
    texts = [(one * 4)[:150] for one in sentences]
    best = 1.0
    for _ in range(20):
        begin = process_time()
        for text in texts * 50:
            may_be_broken(text)
        best = min(best, (process_time() - begin) / (50 * len(texts)))

    assert not any(map(may_be_broken, texts))
    assert best < 4e-6


def test_the_seeds_read_clean_where_they_are(raw: Raw, normalized: Callable[[RawAppeal], Normalized]) -> None:
    for path in sorted(SEEDS.glob("*.txt")):
        before = path.read_text(encoding="utf-8")
        made = normalized(raw(before)).appeal

        assert not any("\ue000" <= one <= "\uf8ff" or one == "\ufffd" for one in made.text)
        assert "?!" not in made.text
        assert "/p>" not in made.text
        assert not made.quality.notes or "unreadable" not in " ".join(made.quality.notes)
        if path.name.startswith(("002", "004")):
            assert made.quality.repairs[:2] == ["gbk_shift", "ruby"]
            assert not any(sign in made.text for sign in ("视频", "责任编辑", "责编", "版权声明"))
        else:
            bare = made.text.replace("\n", "").replace(" ", "")
            kept = [line for line in before.replace("\u3000", "").replace("\xa0", "").split("\n") if "。" in line]
            assert all(line.strip().replace(" ", "") in bare for line in kept)
