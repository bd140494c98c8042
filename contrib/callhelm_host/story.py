"""A working day at both organizations, played by a PBX and watched in a browser.

The PBX has downloaded the organization's template and does what it says; whether it worked is read
from the host's own pages, by somebody who signed in there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import httpx

from callhelm_threecx import routes
from callhelm_threecx.demo.story import NOBODY, Step
from callhelm_threecx.pbx import Agent, Call, Journal, Pbx, PbxError
from callhelm_threecx.template.errors import TemplateError
from callhelm_threecx.template.report import lint_file

from .browser import Browser, Page
from .people import MEMBERS, ORGANIZATIONS, PASSWORD, Contact, Member, Organization, contacts_of
from .stage import Stage

NEWCOMERS: Final = {"golden-gate-bikes": "+14155550199", "elbtal-solar": "+493023125999"}
"""Numbers that nobody has, by organization."""

_UNKNOWN_EXTENSION: Final = "999"


@dataclass(frozen=True)
class Scene:
    """An organization with its PBX, and one of its agents at a browser."""

    organization: Organization
    browser: Browser
    pbx: Pbx

    @property
    def callers(self) -> list[Contact]:
        """The contacts that have a number."""
        return [contact for contact in contacts_of(self.organization) if contact.rings_as]

    def members(self, role: str) -> list[Member]:
        """The members with a role, switched off or not."""
        return [m for m in MEMBERS if (m.organization, m.role) == (self.organization, role)]

    def page_of(self, contact_id: object) -> str:
        """The address of a contact's page."""
        return f"{self.browser.base_url}/contacts/{contact_id}"


def play(stage: Stage) -> Iterator[Step]:
    """Play the day, step by step. What cannot be done at all is a step that went wrong."""
    try:
        for organization in ORGANIZATIONS:
            yield from _play_at(organization, stage)
        yield from _apart(stage)
    except (PbxError, TemplateError, httpx.HTTPError) as ex:
        yield Step("Go on with the story", "no fault", str(ex) or type(ex).__name__, ok=False)


def _play_at(organization: Organization, stage: Stage) -> Iterator[Step]:
    template = _template(stage, organization)
    yield _downloaded(organization, template, stage.base_url)
    with Browser(stage.base_url) as browser, Pbx(template, verify=False) as pbx:
        scene = Scene(organization, browser, pbx)
        yield _signed_in(scene)
        yield from _screen_pops(scene)
        yield from _calls(scene)
        yield from _newcomer(scene)


def _template(stage: Stage, organization: Organization) -> bytes:
    key = {"x-api-key": stage.api_keys[organization.slug]}
    with Browser(stage.base_url) as browser:
        return browser.client.get(stage.api + routes.TEMPLATE, headers=key).content


def _downloaded(organization: Organization, template: bytes, base_url: str) -> Step:
    errors = lint_file("template", template).counts["error"]
    place = "for this host" if base_url.encode() in template else "for another host"
    action = f"{organization.name} downloads its template"
    return _step(action, "for this host, 0 errors", f"{place}, {errors} errors")


def _signed_in(scene: Scene) -> Step:
    """A screen pop opens in a browser where nobody is signed in yet: it leads there and back."""
    contact, agent = scene.callers[0], scene.members("agent")[0]
    address = scene.page_of(contact.id)
    page = scene.browser.sign_in(agent.user.email, PASSWORD, at=address)
    seen = contact.name if (page.address, page.status) == (address, 200) else page.text
    action = f"{agent.user.name} opens {contact.name}'s page and has to sign in"
    return _step(action, contact.name, seen)


def _screen_pops(scene: Scene) -> Iterator[Step]:
    for contact in scene.callers:
        number = contact.rings_as
        owners = [each for each in scene.callers if each.rings_as == number]
        call = scene.pbx.ring(number)
        action = f"{number} rings, kept as {contact.phone_number!r}"
        expected = " · ".join(sorted(map(_as_kept, owners)))
        yield _step(action, expected, _popped(scene, call, owners))
    star = scene.callers[0]
    for form in _other_forms(star.rings_as):
        call = scene.pbx.ring(form)
        yield _step(f"{form!r} rings", _as_kept(star), _popped(scene, call, [star]))
    yield _step("A withheld number rings", NOBODY, _names(scene.pbx.ring("anonymous")))


def _other_forms(number: str) -> list[str]:
    """Other ways in which a trunk shows the same caller."""
    digits = number[1:]
    return [digits, f" {digits}", f"00{digits}", digits[-9:], digits[-7:]]


def _as_kept(contact: Contact) -> str:
    """A contact as an agent should see it: with a word of warning for who is not to be called."""
    warning = "" if contact.status == "active" else " (warned)"
    return f"{contact.name}{warning}"


def _popped(scene: Scene, call: Call, owners: list[Contact]) -> str:
    """Who is shown; whoever's page does not open, or shows somebody else, is not."""
    by_page = {scene.page_of(contact.id): contact for contact in owners}
    if call.screen_pop not in by_page:
        return _names(call)
    seen = []
    for shown in call.contacts:
        contact = by_page.get(shown.url)
        if contact is None:
            seen.append(f"{shown.name} at {shown.url}")
            continue
        page = scene.browser.open(shown.url)
        is_right = page.status == 200 and contact.name in page.text
        is_right = is_right and " ".join(contact.phone_number.split()) in page.text
        warned = shown.company not in {"", contact.company} and contact.company in shown.company
        name = f"{contact.name}{' (warned)' if warned else ''}"
        seen.append(name if is_right else f"another page than {contact.name}'s")
    return " · ".join(sorted(seen))


def _calls(scene: Scene) -> Iterator[Step]:
    """Calls of every type, by agents that are found in every way."""
    admin, lead = scene.members("org_admin")[0], scene.members("team_lead")[0]
    by_desk, by_email, switched_off = scene.members("agent")
    kinds: list[tuple[str, Callable[..., Call], bool, Member, str]] = [
        ("Inbound", scene.pbx.ring, True, admin, "inbound answered"),
        ("Missed", scene.pbx.ring, False, lead, "inbound missed"),
        ("Outbound", scene.pbx.dial, True, by_desk, "outbound answered"),
        ("Notanswered", scene.pbx.dial, False, by_email, "outbound missed"),
        ("Inbound", scene.pbx.ring, True, switched_off, "inbound answered"),
    ]
    first: Journal | None = None
    for contact, (kind, begin, answered, member, status) in zip(scene.callers, kinds, strict=False):
        agent = _agent(member)
        journal = scene.pbx.hang_up(
            begin(contact.rings_as, agent=agent), answered=answered, talk=83
        )
        who = member.user.name if member.is_active else NOBODY
        action = f"{kind}: {contact.name} and {member.user.name}, {agent.extension}"
        expected = f"{status}, {contact.name}, {who}, once"
        yield _step(action, expected, _shown(scene, journal, agent.extension))
        first = first or journal
    if first is not None:
        yield _repeated(scene, first)


def _repeated(scene: Scene, first: Journal) -> Step:
    before = len(scene.browser.open("/calls").rows)
    again = scene.pbx.report_again(first)
    said = {200: "a duplicate", 201: "a new call"}.get(again.status, f"status {again.status}")
    same = "the same call" if again.find("callId") == first.find("callId") else "another call"
    more = len(scene.browser.open("/calls").rows) - before
    expected = "a duplicate, the same call, 0 more rows"
    action = "The PBX reports the first call again"
    return _step(action, expected, f"{said}, {same}, {more} more rows")


def _agent(member: Member) -> Agent:
    """A member as the PBX names them; who has no extension here has one that nobody knows."""
    first, _, last = member.user.name.partition(" ")
    extension = member.three_cx_extension or member.extension or _UNKNOWN_EXTENSION
    email = member.user.email.upper() if extension == _UNKNOWN_EXTENSION else ""
    return Agent(extension, first, last, email)


def _shown(scene: Scene, journal: Journal, extension: str) -> str:
    """How a journaled call stands under Calls, and on the page of its contact."""
    if not journal.ok:
        return "; ".join(map(str, journal.failures))
    call_id = "".join(journal.find("callId"))
    contact_id = "".join(journal.find("contactId"))
    pages = [scene.browser.open("/calls"), scene.browser.open(scene.page_of(contact_id))]
    return _told(pages, call_id, extension)


def _told(pages: list[Page], call_id: str, extension: str) -> str:
    found = [page.cells_of(call_id) for page in pages]
    if any(len(rows) != 1 for rows in found):
        return f"{', '.join(f'{len(rows)} rows' for rows in found)} for the call"
    _, direction, status, contact, caller, called, member, _, _ = found[0][0]
    ours = called if direction == "inbound" else caller
    side = "" if ours == extension else f", {ours} on our side"
    return f"{direction} {status}, {contact}, {member or NOBODY}{side}, once"


def _newcomer(scene: Scene) -> Iterator[Step]:
    number = NEWCOMERS[scene.organization.slug]
    yield _step(f"{number} rings, a stranger", NOBODY, _names(scene.pbx.ring(number)))
    answer = scene.pbx.create_contact(
        first_name="Nadia", last_name="Haddad", company="Haddad Film", number=number
    )
    address = answer.contacts[0].url if answer.contacts else "/contacts/nowhere"
    page = scene.browser.open(address)
    seen = "Nadia Haddad" if "Nadia Haddad" in page.text else f"status {page.status}"
    yield _step("An agent creates the contact in 3CX", "Nadia Haddad", seen)
    yield _step(f"{number} rings", "Nadia Haddad", _names(scene.pbx.ring(number)))


def _apart(stage: Stage) -> Iterator[Step]:
    """What is one organization's is not there for the other."""
    for organization, other in (ORGANIZATIONS, ORGANIZATIONS[::-1]):
        template = _template(stage, other)
        with Browser(stage.base_url) as browser, Pbx(template, verify=False) as pbx:
            scene = Scene(other, browser, pbx)
            browser.sign_in(scene.members("agent")[0].user.email, PASSWORD)
            theirs = contacts_of(organization)[0]
            page = browser.open(scene.page_of(theirs.id))
            action = f"{other.name} opens a contact of {organization.name}"
            yield _step(action, "status 404", f"status {page.status}")
            action = f"{organization.name}'s caller rings at {other.name}"
            yield _step(action, NOBODY, _names(pbx.ring(theirs.rings_as)))
            shown = {cells[-1] for _, cells in browser.open("/calls").rows}
            action = f"{other.name} looks at its calls"
            yield _step(action, other.name, " · ".join(sorted(shown)))
            ids = {str(UUID(each)) for each, _ in browser.open("/contacts").rows}
            strangers = ids & {str(contact.id) for contact in contacts_of(organization)}
            action = f"{other.name} looks at its contacts"
            yield _step(action, "0 strangers", f"{len(strangers)} strangers")


def _names(call: Call) -> str:
    faults = [str(fault) for fault in (*call.failures, *call.dropped)]
    names = sorted(contact.name for contact in call.contacts)
    return "; ".join(faults) or " · ".join(names) or NOBODY


def _step(action: str, expected: str, seen: str) -> Step:
    return Step(action, expected, seen, seen == expected)
