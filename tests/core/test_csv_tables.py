"""CSV as people's programs write it."""

import io
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.services.csv_tables import (
    Row,
    Table,
    TableError,
    guarded,
    read_stream,
    read_table,
    unguarded,
    write_rows,
    written_rows,
)

COLUMNS = ("FirstName", "LastName", "PhoneMobile")


def table_of(content: str | bytes, **options: str) -> Table:
    data = content if isinstance(content, bytes) else content.encode()
    return read_table("table.csv", data, COLUMNS, **options)


def rows_of(content: str | bytes, **options: str) -> list[Row]:
    return list(table_of(content, **options).rows())


PLAIN = "FirstName,LastName,PhoneMobile\r\nZoë,Müller,0171 1234567\r\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace("\r\n", "\n"),
        PLAIN.replace("\r\n", "\r"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        "sep=;\r\n" + PLAIN.replace(",", ";"),
        "sep=|\n" + PLAIN.replace(",", "|"),
        "PHONE MOBILE,lastname,First_Name\n0171 1234567, Müller ,Zoë",
        "Title,FirstName,LastName,PhoneMobile\nDr.,Zoë,Müller,0171 1234567",
        'FirstName,LastName,PhoneMobile\n"Zoë","Müller","0171 1234567"\n\n,,\n',
        "FirstName,LastName,PhoneMobile\n'Zoë,Müller,0171 1234567",
    ],
    ids=lambda content: repr(content)[:40],
)
def test_the_same_table_in_many_costumes(content: str | bytes) -> None:
    values = [row.values for row in rows_of(content)]
    expected = {"FirstName": "Zoë", "LastName": "Müller", "PhoneMobile": "0171 1234567"}
    if isinstance(content, str) and "'Zoë" in content:
        expected["FirstName"] = "'Zoë"
    assert values == [expected]


def test_an_encoding_may_be_named() -> None:
    (row,) = rows_of(PLAIN.encode("cp1252"), encoding="cp1252")
    assert row.values["FirstName"] == "Zoë"


def test_lines_are_those_of_the_file_with_line_breaks_in_cells() -> None:
    rows = rows_of('FirstName\n"a\nb"\n\nc\n"d\r\n\r\ne"\nf\n')
    assert [(row.line, row.values["FirstName"]) for row in rows] == [
        (2, "a\nb"),
        (5, "c"),
        (6, "d\r\n\r\ne"),
        (9, "f"),
    ]


def test_lines_count_the_line_that_names_the_delimiter() -> None:
    assert [row.line for row in rows_of("sep=;\nFirstName;LastName\na;b\n")] == [3]


def test_unknown_columns_are_named_and_left_out() -> None:
    table = table_of("FirstName,Shoe size,,LastName\na,44,x,b\n")
    assert list(table.unknown) == ["Shoe size"]
    assert table.length == 1
    assert [row.values for row in table.rows()] == [{"FirstName": "a", "LastName": "b"}]


def test_a_row_may_be_short_but_not_long() -> None:
    short, padded, long = rows_of("FirstName,LastName\na\nb,c,,\nd,e,f\n")
    assert (short.values, short.fault) == ({"FirstName": "a"}, "")
    assert padded.fault == ""
    assert long.fault == "has 3 cells, the header 2"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"Name;Number\na;b\n", "names none of FirstName, LastName, PhoneMobile"),
        (b"FirstName,firstname\na,b\n", "the column FirstName is there twice"),
        (b'FirstName\nok\n"never closed\n', "line 3: a quote is not closed"),
        (b"FirstName\nok\nM\xfcller\n", "line 3: not UTF-8"),
        (b'FirstName\n"a"b\n', "line 2: "),
        (b"FirstName\n" + b"x" * 200_000 + b"\n", "line 2: field larger"),
    ],
)
def test_what_is_no_table_is_told_before_anything_is_done(content: bytes, message: str) -> None:
    with pytest.raises(TableError) as caught:
        table_of(content)
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_an_unknown_encoding_is_told() -> None:
    with pytest.raises(TableError, match="no encoding 'klingon'"):
        table_of(PLAIN, encoding="klingon")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("Müller", "Müller"),
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("'=1+1", "''=1+1"),
        ("'quoted'", "'quoted'"),
        ("+4930123456", "+4930123456"),
        ("+4930123456 x12", "+4930123456 x12"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula_and_phone_numbers_stay(cell: str, written: str) -> None:
    assert guarded(cell) == written
    assert unguarded(written) == cell


@given(st.text())
def test_every_cell_survives_its_guard(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20).map(
    str.strip
)


@given(st.lists(st.tuples(CELL, CELL, CELL).filter(any), max_size=8))
def test_every_table_that_is_written_is_read_the_same(rows: list[tuple[str, str, str]]) -> None:
    file = io.StringIO(newline="")
    assert write_rows(file, COLUMNS, rows) == len(rows)
    read = rows_of(file.getvalue())
    assert "".join(written_rows(COLUMNS, rows)) == file.getvalue()
    assert [tuple(row.values.values()) for row in read] == rows


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"FirstName,{text}"))
def test_no_file_is_more_than_refused(content: str | bytes) -> None:
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    with suppress(TableError):
        table = table_of(content)
        assert len(list(table.rows())) == table.length


def test_a_large_table_is_read_a_piece_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("FirstName,PhoneMobile\n" + f"{'Jo' * 50},030 1234567\n" * 50_000)
    tracemalloc.start()
    try:
        table = read_stream("large.csv", lambda: path.open("rb"), COLUMNS)
        assert sum(1 for _ in table.rows()) == table.length == 50_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 10


@pytest.mark.parametrize("rows_before", [1, 2000])
@pytest.mark.parametrize(("encoding", "cell"), [("utf-8", b"\xff"), ("utf-16", b"\x00\xd8x")])
def test_the_line_of_an_undecodable_character_is_told_wherever_it_stands(
    rows_before: int, encoding: str, cell: bytes
) -> None:
    text = "FirstName\n" + "Jörg\n" * rows_before
    with pytest.raises(TableError, match=f"line {rows_before + 2}: not"):
        table_of(text.encode(encoding) + cell)
