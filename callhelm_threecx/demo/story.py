"""The story of the demo: what a PBX asks of the server in a working day, and what agents see.

Each step says what was done, what an agent should see, and what one did see. The requests are made
by the engine with the organization's own template, as a PBX makes them; only what an administrator
would do (fetching the template, looking at the statistics) is asked over HTTP by the story itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Final

import httpx

from callhelm_threecx import routes
from callhelm_threecx.demo.people import COUNTRIES, PEOPLE_PER_COUNTRY, contacts, switchboard
from callhelm_threecx.pbx import Agent, Answer, Call, Journal, Pbx, PbxError
from callhelm_threecx.pbx.transport import WsgiApp
from callhelm_threecx.stores.base import NewContact
from callhelm_threecx.template.errors import TemplateError
from callhelm_threecx.template.report import lint_file

ORGANIZATION: Final = "demo"
AGENT: Final = Agent("101", "Mia", "Winter", "mia@call-helm.example")
AGENT_ID: Final = "mia"
"""The user of the CRM to whom the extension 101 is mapped."""

STRANGER: Final = "+493023125999"
NEWCOMER: Final = "+493023125977"
NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. ``ok`` says whether what was seen is what should be seen."""

    action: str
    expected: str
    seen: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the story plays. ``app`` answers in this process; without it, ``base_url`` does."""

    base_url: str
    api_key: str
    admin_key: str
    prefix: str = routes.DEFAULT_PREFIX
    app: WsgiApp | None = None

    def get(self, path: str, key: str) -> httpx.Response:
        """Ask the server as an administrator does."""
        transport = httpx.WSGITransport(app=self.app) if self.app else None
        trusting_nobody = SSLContext(PROTOCOL_TLS_CLIENT)  # the server here speaks plain http
        with httpx.Client(
            transport=transport, verify=trusting_nobody, trust_env=False, timeout=10
        ) as client:
            return client.get(self.base_url + self.prefix + path, headers={"x-api-key": key})

    def pbx(self, template: bytes, max_length: str = "") -> Pbx:
        """A PBX into which the template was uploaded."""
        base = None if self.app else self.base_url
        return Pbx(
            template, app=self.app, base=base, agent=AGENT, max_length=max_length, verify=False
        )


def play(stage: Stage) -> Iterator[Step]:
    """Play the story, step by step. What cannot be done at all is a step that went wrong."""
    try:
        response = stage.get(routes.TEMPLATE, stage.api_key)
    except httpx.HTTPError as ex:
        yield Step("Download the template", "the template", str(ex) or type(ex).__name__, ok=False)
        return
    template = response.content
    yield _downloaded(response, stage.base_url)
    try:
        with stage.pbx(template) as pbx:
            yield from _known_callers(pbx)
            yield from _cut_numbers(stage, template)
            yield from _others(pbx)
            yield from _searches(pbx)
            yield from _creation(pbx)
            yield from _journals(pbx)
            yield from _chat(pbx)
    except (PbxError, TemplateError) as ex:
        yield Step("Go on with the story", "no fault", str(ex), ok=False)
        return
    yield _statistics(stage)


def _downloaded(response: httpx.Response, base_url: str) -> Step:
    errors = lint_file("template", response.content).counts["error"]
    seen = f"status {response.status_code}, {errors} errors in it"
    if base_url not in response.text:
        seen += f", without {base_url}"
    expected = "status 200, 0 errors in it"
    return Step("Download the template", expected, seen, seen == expected)


def star() -> NewContact:
    """The contact who rings in every form that a number can have."""
    return next(contacts())


def _known_callers(pbx: Pbx) -> Iterator[Step]:
    caller = star()
    number = caller.phones[0].number
    digits = number[1:]
    forms = {
        "E.164": number,
        "without its plus": digits,
        "its plus lost in a URL": f" {digits}",
        "with 00": f"00{digits}",
        "national": f"0{digits[2:]}",
        "as people write it": f"0{digits[2:4]} / {digits[4:8]}-{digits[8:]}",
        "her mobile": caller.phones[1].number,
    }
    for form, text in forms.items():
        yield _ring(pbx, f"{text!r} rings ({form})", text, [caller])
    for region, prefix in (("GB", "00"), ("US", ""), ("FR", " "), ("JP", "+")):
        person = _person(region)
        text = prefix + person.phones[0].number[1:]
        yield _ring(pbx, f"{text!r} rings (from {region})", text, [person])


def _cut_numbers(stage: Stage, template: bytes) -> Iterator[Step]:
    caller = star()
    for length in ("10", "9", "7", "6"):
        with stage.pbx(template, max_length=length) as pbx:
            number = caller.phones[0].number
            action = f"The PBX sends the last {length} digits: {number[-int(length) :]}"
            yield _ring(pbx, action, number, [caller])


def _others(pbx: Pbx) -> Iterator[Step]:
    number = switchboard(COUNTRIES[0], 0)
    colleagues = [c for c in contacts() if any(p.number == number for p in c.phones)]
    yield _ring(pbx, f"{number} rings, shared by {len(colleagues)} people", number, colleagues)
    yield _ring(pbx, f"{STRANGER} rings, a stranger", STRANGER, [])
    yield _ring(pbx, "A withheld number rings", "anonymous", [])


def _searches(pbx: Pbx) -> Iterator[Step]:
    caller = star()
    digits = caller.phones[0].number[3:]
    for query in ("anna nordlicht", "MULLER anna solar", caller.email, digits):
        yield _step(f"Search for {query!r}", _names([caller]), pbx.search(query))


def _creation(pbx: Pbx) -> Iterator[Step]:
    person = {"first_name": "Nadia", "last_name": "Haddad", "company": "Haddad Film"}
    name = "Nadia Haddad (Haddad Film)"
    for action in ("Create a contact", "Create the same contact again"):
        answer = pbx.create_contact(number=NEWCOMER, email="nadia@film.example", **person)
        yield _step(action, name, answer)
    yield _step(f"{NEWCOMER} rings, the new contact", name, pbx.ring(NEWCOMER))


def _journals(pbx: Pbx) -> Iterator[Step]:
    caller = star()
    number, name = caller.phones[0].number, f"{caller.first_name} {caller.last_name}"
    begin: dict[str, tuple[Callable[[str], Call], bool]] = {
        "Inbound": (pbx.ring, True),
        "Missed": (pbx.ring, False),
        "Outbound": (pbx.dial, True),
        "Notanswered": (pbx.dial, False),
    }
    first: Journal | None = None
    for kind, (start, answered) in begin.items():
        call = start(number)
        journal = pbx.hang_up(call, answered=answered, talk=83)
        expected = f"{kind} logged for {name}, agent {AGENT_ID}"
        yield _journal_step(f"A call with {name} ends: {kind}", expected, journal, call)
        first = first or journal
    if first is not None:
        again = pbx.report_again(first)
        seen = _said(again)
        action = "The PBX reports the first call again"
        same = again.find("callId") == first.find("callId")
        seen += ", the call that was there" if same else ", another call"
        expected = "duplicate, the call that was there"
        yield Step(action, expected, seen, seen == expected)


def _chat(pbx: Pbx) -> Iterator[Step]:
    caller = star()
    journal = pbx.chat(
        ["Is my order on its way?", "It left us this morning."],
        number=caller.phones[1].number,
        name=f"{caller.first_name} {caller.last_name}",
    )
    seen = f"Chat {_said(journal)}"
    yield Step("A chat is over", "Chat logged", seen, seen == "Chat logged")


def _statistics(stage: Stage) -> Step:
    action = "Look at the statistics"
    expected = "4 calls, 1 chat, 1 contact created, 2 duplicates"
    try:
        path = f"{routes.STATS}?days=1&organizationId={ORGANIZATION}"
        answer = stage.get(path, stage.admin_key)
        found = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as ex:
        return Step(action, expected, str(ex), ok=False)
    seen = (
        f"{found['journals']} calls, {found['chats']} chat, "
        f"{found['contacts_created']} contact created, {found['duplicates']} duplicates"
    )
    return Step(action, expected, seen, seen == expected)


def _person(region: str) -> NewContact:
    """The first contact of a country."""
    place = next(n for n, country in enumerate(COUNTRIES) if country.region == region)
    return list(contacts())[place * PEOPLE_PER_COUNTRY]


def _ring(pbx: Pbx, action: str, number: str, people: list[NewContact]) -> Step:
    return _step(action, _names(people), pbx.ring(number))


def _step(action: str, expected: str, found: Answer | Call) -> Step:
    seen = " · ".join(sorted(_label(c.name, c.company) for c in found.contacts)) or NOBODY
    faults = [str(fault) for fault in (*found.failures, *found.dropped)]
    if faults:
        seen = "; ".join(faults)
    return Step(action, expected, seen, seen == expected)


def _journal_step(action: str, expected: str, journal: Journal, call: Call) -> Step:
    agent = "".join(journal.find("agentId")) or "unknown"
    known = call.contact.name if call.contact else NOBODY
    linked = bool(call.contact) and journal.find("contactId") == [call.contacts[0].entity_id]
    seen = f"{journal.call_type} {_said(journal)} for {known if linked else NOBODY}, agent {agent}"
    return Step(action, expected, seen, seen == expected)


def _said(journal: Journal) -> str:
    """What the server said to a report."""
    if not journal.ok:
        return f"refused ({'; '.join(str(fault) for fault in journal.failures)})"
    return "duplicate" if journal.status == 200 else "logged"


def _names(people: list[NewContact]) -> str:
    labels = (_label(f"{c.first_name} {c.last_name}", c.company) for c in people)
    return " · ".join(sorted(labels)) or NOBODY


def _label(name: str, company: str) -> str:
    return f"{name} ({company})" if company else name
