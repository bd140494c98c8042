"""Calls and chats in the browser: lists, what was said, recordings."""

from collections.abc import Callable

import pytest
from webtest import TestResponse

from callhelm_threecx.console.calls import PAGE
from tests.console.conftest import Browser
from tests.console.log_entries import HOSTILE, chat, facts, journal, numbers, reads_of, rows

CALLS, CHATS = "/o/acme/calls", "/o/acme/chats"


def newest(browser: Browser, path: str = CALLS) -> TestResponse:
    """The page of the newest call or chat."""
    return browser.open(path).click(href=f"{path}/[0-9a-f-]{{36}}", index=0)


def turns(page: TestResponse) -> list[tuple[str, str]]:
    """Who said what."""
    found = []
    for turn in page.html.select(".dialogue li"):
        speaker = turn.find(class_="by")
        said = turn.find(class_="words").get_text()
        found.append((speaker.bdi.get_text() if speaker else "", said))
    return found


# -- lists


def test_a_call_is_listed_with_its_contact_agent_kind_and_duration(admin: Browser) -> None:
    anna = admin.api.create(FirstName="Anna", LastName="Weber", Number="+49301234001")
    journal(admin, CallType="Missed", RecordingUrl="https://pbx.example.com/1.wav")
    page = admin.open(CALLS)
    for told in ("Anna Weber", "+49301234001", "incoming missed", "Mia Winter 101", "3:25"):
        assert told in rows(page)[0]
    assert "recorded" in rows(page)[0]
    assert page.html.find("a", string="Anna Weber")["href"].endswith(f"/contacts/{anna['id']}")


def test_a_caller_without_contact_is_named_as_the_pbx_did(admin: Browser) -> None:
    journal(admin, Name="Somebody Else")
    assert "Somebody Else" in rows(admin.open(CALLS))[0]


def test_a_chat_is_listed_with_its_subject(admin: Browser) -> None:
    chat(admin, Subject="Opening hours", Duration="00:01:05")
    for told in ("+49301234001", "101", "1:05", "Opening hours"):
        assert told in rows(admin.open(CALLS).click("^Chats$"))[0]


def test_older_calls_are_pages_away(admin: Browser) -> None:
    for n in range(PAGE + 2):
        journal(admin, Number=f"+49301234{n:03}", CallStartTimeUTC=f"2026-11-22T08:{59 - n}:00Z")
    first = admin.open(CALLS)
    second = first.click("Older")
    found = [*numbers(first), *numbers(second)]
    assert found == [f"+49301234{n:03}" for n in range(PAGE + 2)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=Missed", [2]),
        ("number=030+1234003", [3]),
        ("agent=102", [3]),
        ("since=2026-11-22T08:02", [3, 2]),
        ("until=2026-11-22T08:02", [1]),
        ("since=2026-11-22T08:02&until=2026-11-22T08:03&agent=101", [2]),
    ],
)
def test_calls_are_filtered_by(admin: Browser, query: str, found: list[int]) -> None:
    for n, fields in enumerate(({}, {"CallType": "Missed"}, {"Agent": "102"}), start=1):
        number, start = f"+49301234{n:03}", f"2026-11-22T08:0{n}:00Z"
        journal(admin, Number=number, CallStartTimeUTC=start, **fields)
    page = admin.open(f"{CALLS}?{query}")
    assert numbers(page) == [f"+49301234{n:03}" for n in found]


@pytest.mark.parametrize("path", [CALLS, CHATS])
def test_those_with_one_contact_are_a_click_away(admin: Browser, path: str) -> None:
    admin.api.create(FirstName="Anna", LastName="Weber", Number="+49301234001")
    for report in (journal, chat):
        report(admin)
        report(admin, Number="+49301234002")
    page = admin.open(f"{path}?number=%2B49301234001").click(href=f"{path}/[0-9a-f-]{{36}}")
    found = page.click("with this contact")
    assert len(rows(found)) == 1
    assert "Anna Weber" in rows(found)[0]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (CALLS, "No call has been logged yet."),
        (f"{CALLS}?agent=7", "No call matches these filters."),
        (CHATS, "No chat has been logged yet."),
        (f"{CHATS}?agent=7", "No chat matches these filters."),
    ],
)
def test_an_empty_list_says_why(admin: Browser, path: str, sentence: str) -> None:
    assert sentence in admin.open(path).html.find(class_="empty").get_text()


@pytest.mark.parametrize("query", ["type=nonsense", "since=yesterday", "cursor=nonsense"])
def test_a_filter_that_cannot_be_read_is_told(admin: Browser, query: str) -> None:
    admin.open(f"{CALLS}?{query}", status=400)


# -- one of them


def test_a_call_shows_everything_that_the_pbx_reported(admin: Browser) -> None:
    journal(
        admin,
        CallEndTimeUTC="2026-11-22T08:38:25Z",
        QueueExtension="800",
        Subject="Invoice",
        Sentiment="Positive",
        Summary="She asks.\nHe answers.",
        Transcription="Ann: Good morning.\nMia: Hello,\nhow can I help?",
        RecordingUrl="https://pbx.example.com/recordings/1.wav",
    )
    page = newest(admin)
    told = facts(page)
    expected = {
        "When": "22 Nov 2026, 08:35:00 UTC",
        "Ended": "22 Nov 2026, 08:38:25 UTC",
        "Duration": "3:25",
        "Direction": "incoming",
        "Queue": "800",
        "Subject": "Invoice",
        "Sentiment": "Positive",
        "Recording": "Listen to it at pbx.example.com",
        "Number": "+49301234001",
    }
    assert {name: told[name] for name in expected} == expected
    assert "Nobody is mapped to the extension 101" in told["Agent"]
    assert page.html.find(id="summary").find_next("p").get_text() == "She asks.\nHe answers."
    assert turns(page) == [("Ann", "Good morning."), ("Mia", "Hello,\nhow can I help?")]


def test_a_chat_reads_as_a_conversation(admin: Browser) -> None:
    chat(admin, ChatMessages="[10:02] Jana: Open?\n10:03 Mia: Yes.", Email="jana@example.com")
    page = newest(admin, CHATS)
    assert turns(page) == [("Jana", "Open?"), ("Mia", "Yes.")]
    assert facts(page)["E-mail"] == "jana@example.com"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>",
        "//pbx.example.com/1.wav",
        "/recordings/1.wav",
        "C:\\recordings\\1.wav",
        "https://pbx.example.com\\@evil.example/",
        "https:///1.wav",
        "http://[/1.wav",
        "https://pbx.example.com/1.wav\tonclick=x",
    ],
)
def test_only_an_address_of_the_web_becomes_a_link(admin: Browser, address: str) -> None:
    journal(admin, RecordingUrl=address)
    page = newest(admin)
    assert "at an address that a browser should not open" in facts(page)["Recording"]
    assert not [a for a in page.html.find_all("a") if "rel" in a.attrs]


LONG = "Ann: <b>&amp;\u202e word\n" * 20_000


def test_a_long_transcript_is_shown_in_part_and_downloaded_whole(admin: Browser) -> None:
    journal(admin, Transcription=LONG, Summary=LONG[:200_000], Subject='"' * 50_000)
    page = newest(admin)
    assert len(page.body) < 100_000
    assert "This is the beginning." in page
    file = page.click("Download it")
    assert file.text == LONG.strip()
    assert file.content_type == "text/plain"
    assert "attachment" in file.headers["Content-Disposition"]
    assert len(page.click("Download all of it").text) == 200_000 - 1
    assert page.click("^all of it$").text == '"' * 50_000


def test_many_short_messages_are_bounded_too(admin: Browser) -> None:
    messages = "\n".join("<:>" if n % 2 else "a: b" for n in range(60_000))
    chat(admin, ChatMessages=messages)
    page = newest(admin, CHATS)
    assert len(page.body) < 100_000
    assert page.click("Download them").text == messages


def test_hostile_texts_are_shown_inertly_in_a_bounded_list(admin: Browser) -> None:
    for n in range(PAGE):
        text = HOSTILE[n % len(HOSTILE)]
        fields = dict.fromkeys(("Name", "AgentFirstName", "AgentLastName", "Sentiment"), text[:320])
        long = dict.fromkeys(("Subject", "Transcription", "Summary", "RecordingUrl"), text)
        journal(admin, CallStartTimeUTC=f"2026-11-22T08:{n:02}:00Z", **fields, **long)
        chat(admin, ChatStartTimeUTC=f"2026-11-22T08:{n:02}:00Z", **fields, Subject=text)
    for page in (admin.open(CALLS), admin.open(CHATS), newest(admin), newest(admin, CHATS)):
        assert len(page.body) < 100_000
        assert not page.html.select("main script, img[src=x], [onerror]")
        for link in page.html.select("main a"):
            assert link["href"].startswith(admin.base)


@pytest.mark.parametrize("part", ["transcript", "summary", "messages", "nonsense"])
def test_a_text_that_is_not_there_is_not_found(admin: Browser, part: str) -> None:
    admin.open(f"{CALLS}/{journal(admin)}/{part}.txt", status=404)


@pytest.mark.parametrize("path", [CALLS, CHATS])
def test_what_is_not_there_is_not_found(admin: Browser, path: str) -> None:
    for key in ("nonsense", "01a20000-0000-7000-8000-000000000004"):
        admin.open(f"{path}/{key}", status=404)


# -- whose


def test_another_organizations_calls_are_out_of_sight(member: Browser) -> None:
    member.api.set_up("other")
    call_id = journal(member, "other", Transcription="secret")
    member.be("agent")
    for path in (f"{CALLS}/{call_id}", f"{CALLS}/{call_id}/transcript.txt"):
        member.open(path, status=404)
    for path in ("/o/other/calls", "/o/other/chats", f"/o/other/calls/{call_id}"):
        member.open(path, status=403)
    assert rows(member.open(CALLS)) == []


def test_a_store_that_keeps_its_own_calls_shows_them_itself(
    browse: Callable[..., Browser],
) -> None:
    browser = browse(contact_store="memory").sign_in()
    browser.api.create(FirstName="Anna", Number="+49301234001")
    browser.api.lookup("+49301234001")
    page = browser.open("/o/acme/events?type=lookup")
    assert "Calls and chats" not in page
    browser.open(CALLS, status=404)
    link = page.html.select_one('td[data-label="Contact"] a')
    assert link["href"].startswith("http://localhost:80/contacts/")


@pytest.mark.parametrize("path", [CALLS, CHATS])
def test_a_page_takes_few_statements(admin: Browser, path: str) -> None:
    admin.api.create(FirstName="Anna", LastName="Weber", Number="+49301234001")
    journal(admin)
    chat(admin)
    listed = admin.open(f"{path}?number=030+1234001")
    one = listed.html.select_one("tbody th a")["href"]
    for address in (f"{path}?number=030+1234001", one):
        assert 0 < reads_of(admin, lambda address=address: admin.open(address)) <= 8
