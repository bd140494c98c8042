"""Whose call it was: the mapping first, then the host's own members."""

from collections.abc import Iterator, Sequence

import pytest

from callhelm_threecx.keys import KeyRing
from callhelm_threecx.models import EventRow
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.integrations import Integration, Integrations
from callhelm_threecx.services.journal import Journal, Recorded
from tests.callhelm.hosts import Host, new_host
from tests.client import SECRET_KEY
from tests.servers import PostgresSource

CALL = {"CallType": "Inbound", "Number": "+14155552671", "CallStartTimeUTC": "2026-11-22T08:35:00Z"}


@pytest.fixture(scope="module")
def host(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def people(host: Host) -> "People":
    return People(host)


class People:
    """An organization whose calls are journaled, and its members by first name."""

    def __init__(self, host: Host) -> None:
        self.host = host
        organization = host.organization()
        integrations = Integrations(host.database, KeyRing([SECRET_KEY]), "US")
        self.integration: Integration = integrations.set_up(organization.id)[0]
        self.ids: dict[str, str] = {}

    def join(self, name: str, **columns: object) -> None:
        email = f"{name}.{self.integration.organization_id}@Example.com"
        organization = self.integration.organization
        self.ids[name] = self.host.member(organization, email, name.title(), **columns)

    def address(self, name: str) -> str:
        return f"{name}.{self.integration.organization_id}@example.com"

    def map(self, extension: str, member: str = "", email: str = "") -> None:
        agents = Agents(self.host.database)
        agent_id = self.ids.get(member, member)
        mapping = NewMapping(extension, agent_id=agent_id, agent_email=email)
        agents.put(self.integration.organization_id, mapping)

    def call(self, extension: str = "", email: str = "") -> Recorded:
        journal = Journal(self.host.database, self.host.store)
        report = {**CALL, "Agent": extension, "AgentEmail": email}
        return journal.record_call(self.integration, report)

    def whose(self, recorded: Recorded) -> str | None:
        """The member of the host's call, by name."""
        (call,) = self.host.calls(self.integration.organization)
        names = {key: name for name, key in self.ids.items()}
        assert recorded.agent_id == (str(call["member_id"]) if call["member_id"] else None)
        return names.get(str(call["member_id"]))

    def attributed_by(self) -> str | None:
        with self.host.database.read(self.integration.organization_id) as session:
            events: Sequence[EventRow] = (
                session.query(EventRow).filter(EventRow.event_type == "journal").all()
            )
        found: str | None = events[0].raw_data["attributedBy"]
        return found


def test_a_mapped_extension_goes_before_a_members_own(people: People) -> None:
    people.join("anna", three_cx_extension="101")
    people.join("ben")
    people.map("101", "ben")
    assert people.whose(people.call("101")) == "ben"
    assert people.attributed_by() == "extension"


def test_a_mapped_address_goes_before_a_members_extension(people: People) -> None:
    people.join("anna", three_cx_extension="101")
    people.join("ben")
    people.map("555", "ben", email="desk@example.com")
    assert people.whose(people.call("101", "Desk@Example.com")) == "ben"
    assert people.attributed_by() == "email"


@pytest.mark.parametrize("column", ["three_cx_extension", "extension"])
def test_a_members_own_extension_finds_them(people: People, column: str) -> None:
    people.join("anna", **{column: "101"})
    people.join("ben", **{column: "102"})
    assert people.whose(people.call("101")) == "anna"
    assert people.attributed_by() == "member_extension"


def test_the_pbxs_extension_goes_before_the_hosts(people: People) -> None:
    people.join("anna", extension="101")
    people.join("ben", three_cx_extension="101")
    assert people.whose(people.call("101")) == "ben"


def test_a_members_extension_goes_before_a_members_address(people: People) -> None:
    people.join("anna", three_cx_extension="101")
    people.join("ben")
    assert people.whose(people.call("101", people.address("ben"))) == "anna"


def test_an_address_finds_its_member_whatever_its_case(people: People) -> None:
    people.join("anna")
    assert people.whose(people.call("999", people.address("anna").upper())) == "anna"
    assert people.attributed_by() == "member_email"


def test_a_mapping_with_an_address_alone_finds_the_member_with_it(people: People) -> None:
    people.join("anna")
    people.map("101", email=people.address("anna"))
    assert people.whose(people.call("101")) == "anna"
    assert people.attributed_by() == "extension"


def test_members_who_left_are_not_used(people: People) -> None:
    people.join("anna", three_cx_extension="101", is_active=False)
    assert people.whose(people.call("101", people.address("anna"))) is None
    assert people.attributed_by() is None


def test_a_mapping_to_somebody_who_left_leaves_the_call_to_the_next_rule(people: People) -> None:
    people.join("anna", is_active=False)
    people.join("ben", three_cx_extension="101")
    people.map("101", "anna")
    assert people.whose(people.call("101")) == "ben"
    assert people.attributed_by() == "member_extension"


def test_an_extension_that_two_members_share_is_nobodys(people: People) -> None:
    people.join("anna", extension="101")
    people.join("ben", extension="101")
    assert people.whose(people.call("101")) is None


def test_another_organizations_member_is_never_found(host: Host, people: People) -> None:
    people.join("anna")
    theirs = People(host)
    theirs.join("carl", three_cx_extension="101")
    assert people.whose(people.call("101", theirs.address("carl"))) is None


def test_a_mapping_to_another_organizations_member_names_nobody(host: Host) -> None:
    theirs, ours = People(host), People(host)
    theirs.join("carl")
    ours.map("102", theirs.ids["carl"])
    assert ours.whose(ours.call("102")) is None


def test_a_mapping_of_nobody_in_the_host_keeps_the_name_that_it_has(people: People) -> None:
    agents = Agents(people.host.database)
    mapping = NewMapping("101", agent_first_name="Night", agent_last_name="Desk")
    agents.put(people.integration.organization_id, mapping)
    people.call("101")
    (call,) = people.host.calls(people.integration.organization)
    agent = call["metadata"]["threecx"]["agent"]
    assert (agent["name"], agent["attributedBy"], call["member_id"]) == (
        "Night Desk",
        "extension",
        None,
    )
