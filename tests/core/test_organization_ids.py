"""What an organization may be called, and when two names are one."""

import pytest

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services.organizations import checked_organization_id

UUID = "3F2504E0-4F89-41D3-9A0C-0305E82C3301"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("acme", "acme"),
        ("Acme", "Acme"),
        ("a.b_c:d-1", "a.b_c:d-1"),
        ("x" * 64, "x" * 64),
        (UUID, UUID.lower()),
        (UUID.lower(), UUID.lower()),
        (f"{UUID}0", f"{UUID}0"),
        ("ABCDEF", "ABCDEF"),
    ],
)
def test_an_id_is_kept_as_it_is_but_a_uuid_has_one_spelling(typed: str, kept: str) -> None:
    assert checked_organization_id(typed) == kept


@pytest.mark.parametrize(
    "typed", [None, "", " ", "a b", "a/b", "\u00fc", "x" * 65, 7, ["a"], "a\n"]
)
def test_anything_else_is_refused_with_the_name_of_the_field(typed: object) -> None:
    with pytest.raises(BadInputError, match=r"^organization: "):
        checked_organization_id(typed, "organization")
