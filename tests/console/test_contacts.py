"""The pages of contacts: found as a PBX finds them, looked at, edited, deleted, brought back."""

import csv
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from webtest import TestResponse

from callhelm_threecx.services.contact_tables import COLUMNS
from callhelm_threecx.services.events import EventFilter, EventType
from callhelm_threecx.stores.base import Contact, NewContact, Organization, Phone, PhoneType
from callhelm_threecx.stores.memory import MemoryContactStore
from tests.client import Api
from tests.console.conftest import Browser
from tests.core.statements import recorded
from tests.http.identities import PEOPLE

ACME = Organization("acme", "DE")
CONTACTS = "/o/acme/contacts"
NEW = f"{CONTACTS}/new"


def keep(browser: Browser, *numbers: str, **fields: str) -> Contact:
    phones = tuple(Phone(number) for number in numbers)
    contact, _ = browser.api.app.services.store.create(ACME, NewContact(**fields, phones=phones))
    return contact


def get(browser: Browser, contact: Contact) -> Contact:
    found = browser.api.app.services.store.get(ACME, contact.id)
    assert found is not None
    return found


def of(contact: Contact, what: str = "") -> str:
    return f"{CONTACTS}/{contact.id}{what}"


def search(browser: Browser, text: str, *, status: int = 200) -> TestResponse:
    return browser.open(f"{CONTACTS}?query={quote(text, safe='')}", status=status)


def found(page: TestResponse, key: str) -> list[str]:
    """The names in one of the tables of a search."""
    section = page.html.find(attrs={"aria-labelledby": f"g-{key}"})
    return [cell.text.strip() for cell in section.find_all("th", scope="row")] if section else []


def reasons(page: TestResponse) -> list[str]:
    """Why contacts were found, the matched parts in brackets."""
    told = []
    for line in page.html.select(".why li"):
        for mark in line.find_all("mark"):
            mark.replace_with(f"[{mark.text}]")
        told.append(" ".join(line.text.split()))
    return told


def acts(browser: Browser) -> list[str]:
    """What the log says was done, the newest first."""
    services = browser.api.app.services
    services.writer.flush(5)
    events = services.events.page(EventFilter("acme", type=EventType.SETUP)).events
    return [event.raw_data["action"] for event in events]


def cost(browser: Browser, ask: Callable[[], TestResponse]) -> tuple[int, int]:
    """(SELECT statements, bytes) of a page."""
    with recorded(browser.api.app.services.database) as statements:
        page = ask()
    selects = [one for one in statements if one.lstrip().upper().startswith(("SELECT", "WITH"))]
    return len(selects), len(page.body)


# -- the search

FINDS = [
    ("+49 30 231250-16", "call", "Business [+49 30 23125016] exact"),
    ("030 23125016", "call", "Business [+49 30 23125016] exact"),
    ("3023125016", "call", "Business [+49 30 23125016] exact"),
    ("23125016", "call", "Business +49 30 [23125016] by its last digits"),
    ("2312", "search", "Business +49 30 [2312]5016"),
    ("ANNA@nordlicht.example", "chat", "E-mail [anna@nordlicht.example] exact"),
    ("nordlicht.ex", "search", "E-mail anna@[nordlicht.ex]ample"),
    ("mull", "search", "Last name [Müll]er"),
    ("solar anna", "search", "First name [Anna]"),
]


@pytest.mark.parametrize(("text", "group", "reason"), FINDS)
def test_a_contact_is_found_as_the_pbx_finds_it_and_why_is_said(
    admin: Browser, text: str, group: str, reason: str
) -> None:
    keep(
        admin,
        "+49 30 23125016",
        first_name="Anna",
        last_name="Müller",
        company="Nordlicht Solar",
        email="anna@nordlicht.example",
    )
    keep(admin, "+43 1 9999999", first_name="Otto", last_name="Other")
    page = search(admin, text)
    assert found(page, group) == ["Anna Müller"]
    assert reason in reasons(page)


def test_whom_a_call_shows_stands_above_who_merely_has_the_digits(admin: Browser) -> None:
    keep(admin, "+49 30 231250", last_name="Called")
    keep(admin, "+49 89 49302312", last_name="By its end")
    keep(admin, "+49 30 23125099", last_name="Longer")
    page = search(admin, "+4930231250")
    assert found(page, "call") == ["Called"]
    assert found(page, "search") == ["Longer"]


def test_a_number_that_nobody_has_can_be_added_at_once(admin: Browser) -> None:
    page = search(admin, "+49 30 5551234")
    form = admin.form(page.click("Add a contact with this number"), NEW)
    assert form["phones.0.number"].value == "+49 30 5551234"


@pytest.mark.parametrize("text", ["x", "5"])
def test_a_search_for_too_little_is_told_at_the_field(admin: Browser, text: str) -> None:
    page = search(admin, text, status=400)
    assert page.html.find(id="e-query").text == "needs 2 to 256 characters"


def test_a_long_text_is_shown_around_its_match(admin: Browser) -> None:
    keep(admin, company="x" * 200 + " needle " + "y" * 100)
    (told,) = reasons(search(admin, "needle"))
    assert "[needle]" in told
    assert len(told) < 80


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\N{RIGHT-TO-LEFT OVERRIDE}"


def test_what_callers_wrote_is_text_on_every_page(admin: Browser) -> None:
    contact = keep(
        admin, "030 1234567", first_name=HOSTILE, company=HOSTILE, email=HOSTILE, last_name="script"
    )
    pages = [admin.open(path) for path in (CONTACTS, of(contact), of(contact, "/edit"))]
    for page in (*pages, search(admin, "script"), search(admin, HOSTILE)):
        assert len(page.html.find_all("script")) == 1  # our own
        assert len(page.html.find_all("img")) == 1


# -- the list


def test_the_most_recently_active_come_first_page_by_page(admin: Browser) -> None:
    for number in range(45):
        keep(admin, last_name=f"N{number:02}")
    page = admin.open(CONTACTS)
    rows = [cell.text.strip() for cell in page.html.select("tbody th")]
    assert rows[:2] == ["N44", "N43"]
    further = page.click("Further down")
    rows += [cell.text.strip() for cell in further.html.select("tbody th")]
    assert rows == [f"N{number:02}" for number in reversed(range(45))]
    assert "Further down" not in further.text
    assert further.click("Most recent").request.path.endswith(CONTACTS)


def test_a_cursor_that_nobody_gave_is_refused(admin: Browser) -> None:
    admin.open(f"{CONTACTS}?cursor=x", status=400)


def test_an_empty_list_says_how_it_is_filled(admin: Browser) -> None:
    assert "There are no contacts yet" in admin.open(CONTACTS).text


def test_the_export_is_the_table_of_the_command_line(admin: Browser) -> None:
    keep(admin, "030 23125016", last_name="=cmd()", external_id="7")
    file = admin.open(f"{CONTACTS}.csv")
    header, row = csv.reader(io.StringIO(file.body.decode("utf-8-sig")))
    assert tuple(header) == COLUMNS
    assert row == ["", "'=cmd()", "", "", "+493023125016", *[""] * 6, "7"]
    assert 'filename="contacts.csv"' in file.headers["Content-Disposition"]


# -- one contact


def test_a_contact_is_shown_with_all_that_is_kept(admin: Browser) -> None:
    contact = keep(
        admin, "030 23125016 x12", "2671", "+1 415 555 2671", last_name="Müller", external_id="A-1"
    )
    page = admin.open(of(contact))
    rows = [" ".join(row.text.split()) for row in page.html.select("tbody tr")]
    assert rows == [
        "Business +49 30 23125016 ext. 12 +493023125016 Germany",
        "Business 2671 2671 no full number: found only as it is",
        "Business +1 415-555-2671 +14155552671 United States",
    ]
    assert "A-1" in page.text


def test_numbers_for_which_3cx_has_no_place_are_told(admin: Browser) -> None:
    contact = keep(admin, *(f"030 231250{n}" for n in range(10, 19)), last_name="Many")
    assert "Calls from the other" in admin.open(of(contact)).text


def test_its_latest_calls_and_chats_stand_below(admin: Browser) -> None:
    contact = keep(admin, "030 23125016", last_name="Müller")
    for minute in range(7):
        admin.api.post(
            "/calls/journal",
            {
                "CallType": "Inbound",
                "Number": "+493023125016",
                "CallStartTimeUTC": f"2026-01-05T10:0{minute}:00Z",
            },
        )
    admin.api.post("/chats/journal", {"ChatMessages": "Hello", "Number": "+493023125016"})
    page = admin.open(of(contact))
    assert len(page.html.select("[aria-labelledby=calls] tbody tr")) == 5
    assert len(page.html.select("[aria-labelledby=chats] tbody tr")) == 1
    assert len(page.click("All calls with this contact").html.select("tbody tr")) == 7


@pytest.mark.parametrize("what", ["", "/edit"])
@pytest.mark.parametrize("key", ["x", "00000000-0000-4000-8000-000000000000"])
def test_a_contact_that_is_none_is_not_here(admin: Browser, key: str, what: str) -> None:
    admin.open(f"{CONTACTS}/{key}{what}", status=404)


# -- adding and changing


def test_a_contact_is_added_with_typed_phones(admin: Browser) -> None:
    fields = {
        "firstName": " Anna ",
        "lastName": "Müller",
        "email": "anna@nordlicht.example",
        "phones.0.number": "030 23125016",
        "phones.0.extension": "12",
        "phones.2.number": "0171 3920016",
        "phones.2.type": "phoneMobile",
        "externalId": "A-1",
    }
    page = admin.send(admin.open(NEW), NEW, button=("action", "save"), **fields)
    assert page.html.find(class_="notice").text.strip() == "The contact was added."
    kept = get(admin, Contact(page.request.path.rpartition("/")[2]))
    assert (kept.first_name, kept.last_name, kept.external_id) == ("Anna", "Müller", "A-1")
    assert kept.phones == (
        Phone("+493023125016", PhoneType.BUSINESS, "12"),
        Phone("+491713920016", PhoneType.MOBILE),
    )
    assert acts(admin)[0] == "add_contact"


def test_a_form_has_the_phones_and_three_lines_more(admin: Browser) -> None:
    contact = keep(admin, "030 23125016 x12", "0171 3920016", last_name="Müller")
    form = admin.form(admin.open(of(contact, "/edit")), of(contact, "/edit"))
    numbers = [form[f"phones.{place}.number"].value for place in range(5)]
    assert numbers == ["+49 30 23125016", "+49 171 3920016", "", "", ""]
    assert form["phones.0.extension"].value == "12"


def test_more_lines_come_without_script_and_keep_what_was_typed(admin: Browser) -> None:
    page = admin.open(NEW)
    more = ("action", "more")
    page = admin.send(page, NEW, button=more, lastName="Müller", **{"phones.1.number": "030 1"})
    form = admin.form(page, NEW)
    assert form["lastName"].value == "Müller"
    assert form["phones.1.number"].value == "030 1"
    assert "phones.5.number" in form.fields
    assert "phones.6.number" not in form.fields
    assert page.html.find(id="f-phones.3.number").has_attr("autofocus")


def test_fifty_phones_are_the_most(admin: Browser) -> None:
    page = admin.open(NEW)
    for _ in range(16):
        page = admin.send(page, NEW, button=("action", "more"))
    assert len(page.html.select(".phone-line")) == 50
    assert not page.html.find("button", value="more")


def test_a_change_is_kept_whole(admin: Browser) -> None:
    contact = keep(admin, "030 23125016", "0171 3920016", last_name="Müller")
    edit = of(contact, "/edit")
    fields = {"phones.0.number": "", "phones.3.number": "040 5551234", "company": "Nordlicht"}
    page = admin.send(admin.open(edit), edit, button=("action", "save"), **fields)
    assert "The contact was saved." in page.text
    kept = get(admin, contact)
    assert [item.number for item in kept.phones] == ["+491713920016", "+49405551234"]
    assert kept.company == "Nordlicht"
    assert acts(admin)[0] == "change_contact"


def test_a_form_that_is_sent_as_it_came_changes_nothing(admin: Browser) -> None:
    contact = keep(admin, "030 23125016 x1", "2671", "+54 9 11 2345 6789", last_name="Müller")
    before = get(admin, contact)
    edit = of(contact, "/edit")
    admin.send(admin.open(edit), edit, button=("action", "save"))
    assert get(admin, contact) == before


FAULTS = [
    ({"lastName": ""}, "firstName", "is required, or a last name, or a company"),
    ({"company": "x" * 400}, "company", "is longer than 320 characters"),
    ({"phones.2.number": "unknown"}, "phones.2.number", "has no digit"),
    ({"phones.1.extension": "7"}, "phones.1.number", "is missing"),
    ({"phones.2.number": "030 23125016"}, "phones.2.number", "stands further up already"),
    (
        {"phones.1.number": "1234567", "phones.1.extension": "x"},
        "phones.1.extension",
        "is not an extension of at most 20 digits",
    ),
]


@pytest.mark.parametrize(("fields", "name", "message"), FAULTS)
def test_a_fault_is_told_at_its_field_and_nothing_is_kept(
    admin: Browser, fields: dict[str, str], name: str, message: str
) -> None:
    contact = keep(admin, "030 23125016", last_name="Müller")
    edit = of(contact, "/edit")
    sent = dict(admin.form(admin.open(edit), edit).submit_fields())
    page = admin.post(edit, {**sent, **fields}, status=400)
    assert page.html.find(id=f"e-{name}").text == message
    assert page.html.find(attrs={"role": "alert"})
    form = admin.form(page, edit)
    assert all(form[key].value == value for key, value in fields.items())
    assert get(admin, contact) == contact


def test_who_is_there_already_is_told_at_the_number_with_a_link(admin: Browser) -> None:
    other = keep(admin, "030 23125016", last_name="Müller")
    contact = keep(admin, "030 5551234", last_name="Müller")
    edit = of(contact, "/edit")
    sent = dict(admin.form(admin.open(edit), edit).submit_fields())
    page = admin.post(edit, {**sent, "phones.3.number": "+49 30 23125016"}, status=400)
    assert "another contact has this number" in page.html.find(id="e-phones.3.number").text
    assert of(other) in page.html.find("a", string="Look at the other contact")["href"]
    fields = {"lastName": "Müller", "phones.1.number": "030 23125016"}
    sent = dict(admin.form(admin.open(NEW), NEW).submit_fields())
    page = admin.post(NEW, {**sent, **fields}, status=400)
    assert page.html.find(id="e-phones.1.number").text == "this contact is there already"


def test_a_change_at_the_same_time_is_told_and_nothing_is_lost(admin: Browser) -> None:
    contact = keep(admin, "030 23125016", last_name="Müller", company="Old")
    edit = of(contact, "/edit")
    opened = admin.open(edit)
    admin.send(admin.open(edit), edit, button=("action", "save"), company="Theirs")
    sent = dict(admin.form(opened, edit).submit_fields())
    page = admin.post(edit, {**sent, "company": "Mine", "action": "save"}, status=409)
    cells = [cell.text.strip() for cell in page.html.select("tbody tr > *")]
    assert cells == ["Company", "Theirs", "Mine"]
    assert get(admin, contact).company == "Theirs"
    admin.send(page, edit, button=("action", "save"))
    assert get(admin, contact).company == "Mine"


# -- deleting


def test_a_deleted_contact_comes_back_as_it_was(admin: Browser) -> None:
    contact = keep(admin, "030 23125016 x12", "0171 3920016", last_name="Müller", company="N")
    page = admin.send(admin.open(of(contact)), of(contact, "/delete"))
    assert "The contact was deleted." in page.text
    assert found(search(admin, "030 23125016"), "call") == []
    admin.send(page, f"{CONTACTS}/undo")
    assert get(admin, contact) == contact
    assert acts(admin)[:2] == ["restore_contact", "delete_contact"]


def test_even_a_contact_of_which_much_is_known_comes_back(admin: Browser) -> None:
    """What a cookie cannot hold is on the page itself."""
    numbers = [f"+49 30 23125{number}" for number in range(100, 150)]
    contact = keep(admin, *numbers, last_name="ü" * 320, company="&" * 320)
    page = admin.send(admin.open(of(contact)), of(contact, "/delete"))
    admin.send(page, f"{CONTACTS}/undo")
    assert get(admin, contact) == contact


def test_what_somebody_else_changed_is_not_deleted_unseen(admin: Browser) -> None:
    contact = keep(admin, last_name="Müller")
    opened, edit = admin.open(of(contact)), of(contact, "/edit")
    admin.send(admin.open(edit), edit, button=("action", "save"), company="New")
    page = admin.send(opened, of(contact, "/delete"))
    assert "Somebody else has changed this contact" in page.text
    assert get(admin, contact).company == "New"


def test_an_undo_that_is_none_of_ours_brings_nothing(admin: Browser) -> None:
    contact = keep(admin, last_name="Müller")
    page = admin.send(admin.open(of(contact)), of(contact, "/delete"))
    sent = dict(admin.form(page, f"{CONTACTS}/undo").submit_fields())
    for text in ("", "{}", sent["deleted"][:-2]):
        page = admin.post(f"{CONTACTS}/undo", {**sent, "deleted": text})
        assert "too old to be undone" in page.text
    with pytest.raises(AssertionError):
        get(admin, contact)


def test_a_contact_is_not_brought_back_beside_its_successor(admin: Browser) -> None:
    contact = keep(admin, "030 23125016", last_name="Müller")
    page = admin.send(admin.open(of(contact)), of(contact, "/delete"))
    successor = keep(admin, "030 23125016", last_name="Müller")
    page = admin.send(page, f"{CONTACTS}/undo")
    assert "Another contact has taken its place" in page.text
    assert page.request.path.endswith(successor.id)


def test_deleting_twice_is_told(admin: Browser) -> None:
    contact = keep(admin, last_name="Müller")
    opened = admin.open(of(contact))
    admin.send(opened, of(contact, "/delete"))
    admin.send(opened, of(contact, "/delete"), status=404)


# -- who may


@pytest.mark.parametrize("user", [n for n, one in PEOPLE.items() if one.may_read("acme")])
def test_whoever_may_only_read_sees_no_controls(member: Browser, user: str) -> None:
    contact = keep(member, "030 23125016", last_name="Müller")
    may = PEOPLE[user].may_set_up("acme")
    member.be(user)
    shown = [member.open(path) for path in (CONTACTS, of(contact))]
    assert all("Müller" in page.text for page in shown)
    assert ("Add a contact" in shown[0].text) is may
    assert (f"{of(contact)}/delete" in shown[1].text) is may
    assert member.open(NEW).request.path.endswith("/new") is may
    assert member.open(of(contact, "/edit")).request.path.endswith("/edit") is may


@pytest.mark.parametrize("what", ["/new", "/undo", "/{}/edit", "/{}/delete"])
def test_what_a_reader_sends_is_refused(member: Browser, what: str) -> None:
    contact = keep(member, "030 23125016", last_name="Müller")
    token = member.api.app.services.ring.seal("user agent", "console form")
    fields = {"_token": token, "lastName": "Changed", "phones.0.number": "1234567"}
    member.be("agent").post(CONTACTS + what.format(contact.id), fields, status=403)
    assert get(member, contact) == contact


def test_another_organization_s_contacts_are_closed(member: Browser) -> None:
    contact = keep(member, last_name="Müller")
    member.api.key("other")
    member.be("stranger").open(CONTACTS, status=403)
    for what in ("", "/edit"):
        member.open(f"/o/other/contacts/{contact.id}{what}", status=404)
    assert "Müller" not in member.open("/o/other/contacts?query=m%C3%BCller").html.find("main").text


def test_contacts_that_live_elsewhere_have_no_pages_here(make_api: Callable[..., Api]) -> None:
    browser = Browser(make_api(store=ReadOnly())).sign_in()
    browser.api.key()
    browser.open(CONTACTS, status=404)


class ReadOnly:
    """A store that can be asked, and no more."""

    def __init__(self) -> None:
        self._store = MemoryContactStore()
        for name in ("find_by_number", "find_by_email", "search", "get", "create", "health"):
            setattr(self, name, getattr(self._store, name))


# -- what it costs


def test_the_fullest_pages_are_few_statements_and_small(admin: Browser) -> None:
    numbers = [f"+49 30 23125{number}" for number in range(100, 150)]
    texts = dict.fromkeys(("first_name", "last_name", "company", "email"), "&\N{PILE OF POO}" * 160)
    full = keep(admin, *numbers, **texts)
    for number in range(45):
        keep(admin, *numbers[number:], **{**texts, "last_name": f"{number}&" * 80})
    for _ in range(6):
        call = {"CallType": "Inbound", "EntityId": full.id, "Agent": "&" * 60}
        admin.api.post("/calls/journal", {**call, "Number": "+493023125100"})
        chat = {"ChatMessages": "Hello", "EntityId": full.id, "Subject": "&" * 999}
        admin.api.post("/chats/journal", chat)
    asks: list[Any] = [
        lambda: admin.open(CONTACTS),
        lambda: admin.open(of(full)),
        lambda: admin.open(of(full, "/edit")),
        lambda: search(admin, "23125"),
        lambda: search(admin, "+493023125149"),
        lambda: search(admin, "&" * 2),
    ]
    for ask in asks:
        statements, size = cost(admin, ask)
        assert statements <= 8
        assert size < 100_000
