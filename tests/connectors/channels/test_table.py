"""Files of rows: encodings, spreadsheets' habits, resuming at any row."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import xlsxwriter

from connectors.base import BadItem, Item, Page
from connectors.channels import table, table_mapping
from connectors.channels.table import TableFile, TableSettings
from connectors.channels.table_rows import look
from connectors.errors import FormatChanged
from connectors.flow import Room, read_source
from connectors.raw_appeal import Mode
from tests.connectors.recording import ids_of, position, read, until_killed

COLUMNS = {"native_id": "编号", "text": "内容", "posted_at": "时间", "likes": "点赞"}


def told(**kwargs: Any) -> TableSettings:
    fields: dict[str, Any] = {"columns": COLUMNS, "zone": "Asia/Shanghai"} | kwargs
    return TableSettings(name="letters", kind="table", channel="board", mode=Mode.ROUTE, **fields)


def items(pages: list[Page]) -> list[Item]:
    return [item for page in pages for item in page.items]


def payloads(pages: list[Page]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(item.payload) for item in items(pages)]


def csv(folder: Path, *rows: str, encoding: str = "utf-8", name: str = "letters.csv") -> Path:
    file = folder / name
    file.write_bytes("\r\n".join(rows).encode(encoding))
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
async def test_every_usual_encoding_is_told_apart(tmp_path: Path, encoding: str) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞", "1,路灯坏了,2019/2/28 11:25:05,3", encoding=encoding)

    assert payloads(await read(TableFile(told(), file))) == [
        {
            "native_id": "1",
            "text": "路灯坏了",
            "posted_at": "2019/2/28 11:25:05",
            "likes": "3",
            "_row": {"编号": "1", "内容": "路灯坏了", "时间": "2019/2/28 11:25:05", "点赞": "3"},
        }
    ]


@pytest.mark.parametrize(("named", "written"), [("gb2312", "gb18030"), ("GBK", "gb18030"), ("utf-8", "utf-8-sig")])
async def test_an_encoding_that_is_named_holds_what_programs_write_under_that_name(
    tmp_path: Path, named: str, written: str
) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞", "1,镕𠮷路的灯,2019/2/28 11:25:05,3", encoding=written)

    assert [row["text"] for row in payloads(await read(TableFile(told(encoding=named), file)))] == ["镕𠮷路的灯"]


def test_an_encoding_that_is_none_is_a_problem_of_the_settings() -> None:
    assert any("is no encoding" in problem for problem in told(encoding="utf-88").problems())


async def test_a_broken_byte_does_not_hold_up_a_file(tmp_path: Path) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞", "1,好的,x,0", "2,坏的,x,0")
    file.write_bytes(file.read_bytes() + b"\r\n3,\xff\xff,x,0")

    assert ids_of(await read(TableFile(told(), file))) == {"1", "2", "3"}


async def test_cells_with_line_breaks_are_one_row(tmp_path: Path) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞", '1,"第一行\n\n\t第二行，""引号""",x,0', "", "2,另一封,x,0")

    assert [row["text"] for row in payloads(await read(TableFile(told(), file)))] == [
        '第一行\n\n\t第二行，"引号"',
        "另一封",
    ]


async def test_rows_that_do_not_fit_the_head_are_parked(tmp_path: Path) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞", "1,逗号,没有,加引号,的内容,x,0", "2,短行", "3,,x,0")

    pages = await read(TableFile(told(), file))

    bad = {bad.native_id: bad.reason for page in pages for bad in page.bad}
    assert bad == {"1": "the row has 7 cells, the head has 4", "3": "the row has neither text nor title"}
    assert [item.native_id for item in items(pages)] == ["2"]


async def test_a_missing_column_is_told_before_anything_is_stored(tmp_path: Path) -> None:
    file = csv(tmp_path, "编号,正文", "1,路灯坏了")

    with pytest.raises(FormatChanged, match="has no column 内容, 时间, 点赞; of its 2 columns we know: 编号"):
        await read(TableFile(told(), file))


async def test_a_letter_in_the_place_of_the_names_is_not_told(tmp_path: Path) -> None:
    file = csv(tmp_path, "1,我是张三，楼上漏水,2019/2/28,3", "2,井盖响,2019/3/1,0")

    with pytest.raises(FormatChanged) as told_:
        await read(TableFile(told(), file))
    assert "张三" not in str(told_.value)
    assert "of its 4 columns we know: none" in str(told_.value)


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
async def test_ids_that_a_spreadsheet_rounded_make_no_two_letters_one(tmp_path: Path, kind: str) -> None:
    """Order numbers of eighteen digits, saved as numbers: both read 123456789012345000 there, or 1.23457E+17."""
    if kind == "csv":
        file = csv(tmp_path, "编号,内容,时间,点赞", "1.23457E+17,路灯坏了,x,0", "1.23457E+17,井盖响,x,0")
    else:
        file = tmp_path / "letters.xlsx"
        with xlsxwriter.Workbook(file) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["编号", "内容", "时间", "点赞"])
            sheet.write_row(1, 0, [123456789012345678, "路灯坏了", "x", 0])
            sheet.write_row(2, 0, [123456789012345679, "井盖响", "x", 0])

    pages = await read(TableFile(told(), file))

    assert items(pages) == []
    assert len({bad.native_id for page in pages for bad in page.bad}) == 2
    assert "rounded" in pages[0].bad[0].reason


async def test_a_workbook_is_read_as_people_see_it(tmp_path: Path) -> None:
    """Excel keeps 188006 as 188006.0, and a time at midnight comes as a date."""
    file = tmp_path / "letters.xlsx"
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy/m/d hh:mm:ss"}) as book:
        sheet = book.add_worksheet("来信")
        sheet.write_row(1, 0, ["编号", "内容", "时间", "点赞"])
        sheet.write_row(2, 0, [188006, "路灯坏了", datetime(2019, 2, 28, 11, 25, 5), 3])  # noqa: DTZ001
        sheet.write_row(4, 0, [188007.5, "井盖响", datetime(2019, 3, 1), 0])  # noqa: DTZ001

    rows = payloads(await read(TableFile(told(), file)))

    assert [(row["native_id"], row["posted_at"], row["likes"]) for row in rows] == [
        ("188006", "2019-02-28 11:25:05", "3"),
        ("188007.5", "2019-03-01", "0"),
    ]


async def test_a_sheet_that_is_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "letters.xlsx"
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("来信")

    with pytest.raises(FormatChanged, match="it has: 来信"):
        await read(TableFile(told(sheet="去年"), file))
    assert [page.offered for page in await read(TableFile(told(), file))] == [()]


async def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatChanged, match="neither CSV, XLSX nor JSON lines"):
        await read(TableFile(told(), csv(tmp_path, "x", name="letters.pdf")))
    with pytest.raises(FormatChanged, match="cannot be opened as a workbook"):
        await read(TableFile(told(), csv(tmp_path, "x", name="letters.xlsx")))
    with pytest.raises(FormatChanged, match="is not there"):
        await read(TableFile(told(), tmp_path / "none.csv"))


async def test_rows_without_an_id_are_named_by_their_words(tmp_path: Path) -> None:
    """Likes may change between two editions of a file; the letter is the same one."""
    first = csv(tmp_path, "内容,时间,点赞", "路灯坏了,2020-01-01,0", "井盖响,2020-01-01,0", "路灯坏了,2020-01-01,0")
    second = csv(tmp_path, "内容,时间,点赞", "井盖响,2020-01-01,5", "路灯坏了,2020-01-01,9", name="new.csv")
    columns = {name: column for name, column in COLUMNS.items() if name != "native_id"}

    before = ids_of(await read(TableFile(told(columns=columns), first)))
    after = ids_of(await read(TableFile(told(columns=columns), second)))

    assert before == after
    assert len(before) == 2


@pytest.mark.parametrize("killed_at", range(8))
async def test_a_file_is_resumed_at_the_page_where_it_was_left(
    tmp_path: Path, killed_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PAGE", 3)
    file = csv(tmp_path, "编号,内容,时间,点赞", *(f"{number},第{number}封,x,0" for number in range(20)))

    first = await until_killed(TableFile(told(), file).pages(None), killed_at)
    rest = await read(TableFile(told(), file), position(first))

    assert [item.native_id for item in items(first + rest)] == [str(number) for number in range(20)]


async def test_another_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    first = csv(tmp_path, "编号,内容,时间,点赞", "1,一,x,0", "2,二,x,0")
    cursor = position(await read(TableFile(told(), first)))
    second = csv(tmp_path, "编号,内容,时间,点赞", "3,三,x,0", name="more.csv")

    assert TableFile(told(), first).rows_done(cursor) == 2
    assert TableFile(told(), second).rows_done(cursor) == 0
    assert ids_of(await read(TableFile(told(), second), cursor)) == {"3"}
    assert TableFile(told(), first).count() == 2


async def test_a_repeated_id_with_other_words_is_a_revision(tmp_path: Path, room: Room, database: Any) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞", "1,一,x,0", "2,二,x,0", "1,又一,x,0", "2,二,x,0")
    source = told()
    await room.store.sources.ensure(["letters"])
    claim = await room.store.sources.claim("letters", room.owner)
    assert claim is not None

    [batch async for batch in read_source(TableFile(source, file), source, claim, room)]

    revisions = {document["native_id"]: document["revision"] async for document in database.raw.find()}
    assert revisions == {"1": 2, "2": 1}
    claim.cursor = None
    before = await database.pages.count_documents({})
    [batch async for batch in read_source(TableFile(source, file), source, claim, room)]
    assert await database.pages.count_documents({}) > before  # read anew, the first row is news again: hence the cursor


async def test_a_file_imported_again_after_another_is_not_read_twice_unless_its_mapping_was_mended(
    tmp_path: Path,
) -> None:
    """An id that it holds twice would be revised back and forth for ever."""
    first = csv(tmp_path, "编号,内容,时间,点赞", "1,一,x,0", "1,又一,x,0")
    (tmp_path / "other").mkdir()
    second = csv(tmp_path / "other", "编号,内容,时间,点赞", "3,三,x,0")
    after_first = position(await read(TableFile(told(), first)))
    after_second = position(await read(TableFile(told(), second), after_first))

    assert await read(TableFile(told(), first), after_second) == []
    assert TableFile(told(), first).rows_done(after_second) == 2
    mended = told(columns=COLUMNS | {"title": "时间"})
    assert ids_of(await read(TableFile(mended, first), after_second)) == {"1"}


async def test_a_parked_row_is_read_again_by_the_mended_mapping(tmp_path: Path) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞,补充", "1,,x,0,都写在这一栏")
    (page,) = await read(TableFile(told(), file))
    (bad,) = page.bad
    mended = TableFile(told(columns=COLUMNS | {"text": "补充"}), file)

    item = mended.reread(bad.native_id, bad.payload, {})

    assert isinstance(item, Item)
    assert (item.native_id, msgspec.json.decode(item.payload)["text"]) == ("1", "都写在这一栏")
    assert isinstance(TableFile(told(), file).reread(bad.native_id, bad.payload, {}), BadItem)


def test_a_mapping_is_checked_before_it_is_used() -> None:
    problems = told(columns={"txt": "内容"}).problems()

    assert any("columns.txt is not a name of ours" in problem for problem in problems)
    assert any("must map `text` or `title`" in problem for problem in problems)
    (problem,) = told(zone="Mars").problems()
    assert problem.startswith('zone = "Mars" is not a time zone')


def test_a_look_tells_editions_apart_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A character may lie across two chunks."""
    monkeypatch.setattr("connectors.channels.table_rows.CHUNK", 5)
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_bytes("路灯坏了好几天".encode("gb18030"))
    second.write_bytes("路灯坏了好几天".encode())

    assert look(first, None).encoding == "gb18030"
    assert look(second, None).encoding == "utf-8-sig"
    assert look(first, None).digest != look(second, None).digest


async def test_a_row_keeps_what_was_not_mapped(tmp_path: Path) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞,回访", "1,一,x,0,满意")

    (row,) = payloads(await read(TableFile(told(), file)))

    assert row["_row"]["回访"] == "满意"


async def test_of_columns_with_one_name_none_is_lost_and_the_first_that_says_something_counts(tmp_path: Path) -> None:
    file = csv(tmp_path, "编号,内容,时间,点赞,备注,备注,内容,", "1,一,x,0,甲,乙,二,尾", "2,,x,0,甲,乙,二,")

    first, second = payloads(await read(TableFile(told(), file)))

    assert (first["text"], second["text"]) == ("一", "二")
    assert first["_row"].items() >= {"备注": "甲", "备注（2）": "乙", "内容（2）": "二", "": "尾"}.items()


# ------------------------------------------------------------ known kinds of file


EIGHTEEN = (
    "序号,办件编号,办件来源,市级编号,诉求主题,诉求内容,办理单位,办理科室,诉求人,诉求人电话,处理结果,事项大类,事项小类,派发时间,承诺完成时间,"
    "办件状态,派单员,预警状态"
)
ORDER = (
    "1,BJ1,微信,SJ1,夜里施工,{text},县住建局,,市民甲,13800000001,{reply},环境,12.噪声扰民,2026-11-20 08:30:00,,"
    "{state},,"
)


def order(text: str = "工地夜里施工", reply: str = "", state: str = "办理中") -> str:
    return ORDER.format(text=text, reply=reply, state=state)


def known(preset: str, **kwargs: Any) -> TableSettings:
    return told(columns={}, preset=preset, **kwargs)


@pytest.mark.parametrize("preset", table_mapping.names())
def test_every_preset_names_what_an_appeal_needs(preset: str) -> None:
    layout = table_mapping.preset(preset)
    assert set(layout.columns) <= set(table.KNOWN)
    assert {"native_id", "text", "posted_at", "phone", "department", "reply"} <= set(layout.columns)
    assert set(layout.match) | set(layout.values) <= set(layout.columns)
    assert known(preset).problems() == []


async def test_the_export_of_eighteen_columns_needs_no_mapping(tmp_path: Path) -> None:
    (row,) = payloads(await read(TableFile(known("orders_18"), csv(tmp_path, EIGHTEEN, order()))))

    assert (row["native_id"], row["title"], row["text"]) == ("BJ1", "夜里施工", "工地夜里施工")
    assert (row["category"], row["department"], row["channel_detail"]) == ("噪声扰民", "县住建局", "wechat")


async def test_a_title_above_the_names_and_signs_around_them_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "visits.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["望湖区入户走访登记表"])
        sheet.write_row(1, 0, ["填报单位：柳荫街道", "日期", "2026年11月"])
        sheet.write_row(2, 0, ["序号", "* 走访时间", "户主姓名", "联系电话（必填）", "反映问题 (逐条)"])
        sheet.write_row(3, 0, ["1", "2026-11-20", "市民甲", "13800000001", "电动车没有地方充电"])

    (row,) = payloads(await read(TableFile(known("visits"), file)))

    assert (row["text"], row["author"], row["phone"]) == ("电动车没有地方充电", "市民甲", "13800000001")


async def test_a_column_of_ones_own_lies_over_the_preset(tmp_path: Path) -> None:
    file = csv(tmp_path, EIGHTEEN.replace("诉求内容", "群众描述"), order())
    told_ = told(columns={"text": ["群众描述", "诉求内容"]}, preset="orders_18")

    (row,) = payloads(await read(TableFile(msgspec.convert(told_, TableSettings, from_attributes=True), file)))

    assert row["text"] == "工地夜里施工"


async def test_a_file_without_any_words_is_refused_whatever_the_preset(tmp_path: Path) -> None:
    with pytest.raises(FormatChanged, match="诉求内容"):
        await read(TableFile(known("orders_18"), csv(tmp_path, "序号,办件编号,派发时间", "1,BJ1,x")))


async def test_the_state_of_an_order_changes_in_place_its_text_is_a_revision_and_its_end_a_withdrawal(
    tmp_path: Path, room: Room, database: Any
) -> None:
    """Promise 4: the export of every evening is imported again."""
    source = known("orders_18")
    await room.store.sources.ensure([source.name])

    async def imported(name: str, line: str) -> dict[str, Any]:
        claim = await room.store.sources.claim(source.name, room.owner)
        assert claim is not None
        file = csv(tmp_path, EIGHTEEN, line, name=name)
        [batch async for batch in read_source(TableFile(source, file), source, claim, room)]
        await room.store.sources.release(claim)
        found: dict[str, Any] = await database.raw.find_one({})
        return found

    first = await imported("1.csv", order())
    answered = await imported("2.csv", order(reply="已责令停工", state="已办结"))
    corrected = await imported("3.csv", order(text="工地夜里十二点还施工", state="已办结"))
    ended = await imported("4.csv", order(text="工地夜里十二点还施工", state="已作废"))

    assert [each["revision"] for each in (first, answered, corrected, ended)] == [1, 1, 2, 3]
    assert first["digest"] != answered["digest"]
    assert [each["withdrawn"] for each in (first, answered, corrected, ended)] == [False, False, False, True]


def test_a_preset_that_is_not_ours_is_told() -> None:
    assert "orders_18" in known("orders_19").problems()[0]
