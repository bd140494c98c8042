"""What is proposed for each extension, from what the CRM knows of its users."""

import pytest

from callhelm_threecx.models import AgentMappingRow
from callhelm_threecx.services.agents import NewMapping
from callhelm_threecx.services.member_sync import Proposed, changes, propose
from callhelm_threecx.stores.base import Member

ANNA = Member("m1", "anna@example.com", "Anna Maria Berg", three_cx_extension="101")
BEN = Member("m2", "ben@example.com", "Ben", extension="102")
CLEO = Member("m3", "cleo@example.com", "Cleo C", three_cx_extension="101", extension="103")


def mapping(extension: str, agent_id: str | None = None, email: str | None = None):
    return AgentMappingRow(
        organization_id="acme",
        three_cx_extension=extension,
        agent_id=agent_id,
        agent_email=email,
    )


@pytest.mark.parametrize(
    ("members", "mappings", "expected"),
    [
        ([ANNA], [], {"101": Proposed.ADD}),
        ([BEN], [], {"102": Proposed.ADD}),
        ([ANNA, BEN], [], {"101": Proposed.ADD, "102": Proposed.ADD}),
        # Cleo's own extension is not looked at: the PBX's is the one that she has there.
        ([ANNA, CLEO], [], {"101": Proposed.AMBIGUOUS}),
        ([ANNA], [mapping("101", "m1")], {"101": Proposed.KEEP}),
        ([ANNA], [mapping("101")], {"101": Proposed.COMPLETE}),
        ([ANNA], [mapping("101", email="ANNA@example.com")], {"101": Proposed.COMPLETE}),
        ([ANNA], [mapping("101", email="ben@example.com")], {"101": Proposed.CONFLICT}),
        ([ANNA, BEN], [mapping("101", "m2")], {"101": Proposed.CONFLICT, "102": Proposed.ADD}),
        ([ANNA], [mapping("101", "gone")], {"101": Proposed.STALE}),
        ([BEN], [mapping("900")], {"102": Proposed.ADD, "900": Proposed.STALE}),
        ([BEN], [mapping("900", "m2")], {"102": Proposed.ADD, "900": Proposed.KEEP}),
        ([Member("m4", "no@example.com", "No Extension")], [], {}),
        ([], [], {}),
    ],
)
def test_each_extension_gets_one_proposal(members, mappings, expected) -> None:
    assert {p.extension: p.kind for p in propose(members, mappings)} == expected


def test_a_user_with_an_extension_of_the_pbx_goes_before_one_with_an_extension_of_the_crm() -> None:
    other = Member("m9", "other@example.com", "Other", extension="101")
    (proposal,) = propose([other, ANNA], [])
    assert proposal.members == (ANNA,)


def test_only_what_is_certain_is_kept() -> None:
    proposals = propose([ANNA, BEN, CLEO], [mapping("102")])
    assert changes(proposals) == [NewMapping("102", "m2", "ben@example.com", "Ben", "")]


def test_a_name_is_split_into_the_first_word_and_the_rest() -> None:
    (kept,) = changes(propose([ANNA], []))
    assert (kept.agent_first_name, kept.agent_last_name) == ("Anna", "Maria Berg")


def test_extensions_come_in_the_order_of_their_numbers() -> None:
    people = [
        Member(f"m{n}", three_cx_extension=text) for n, text in enumerate(["1000", "99", "100"])
    ]
    assert [p.extension for p in propose(people, [])] == ["99", "100", "1000"]


def test_every_proposal_says_why() -> None:
    proposals = propose([ANNA, CLEO, BEN], [mapping("102", "m2"), mapping("104", "gone")])
    assert all(p.reason for p in proposals)
