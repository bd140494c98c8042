"""The console's lists on adopted tables, where the ids of organizations are of the type uuid."""

from tests.callhelm.adoption.earlier_integration import Earlier, adopt
from tests.client import Api
from tests.console.conftest import Browser


def test_organizations_are_paged_found_and_opened(earlier: Earlier, acme: str) -> None:
    for number in range(55):
        earlier.integration(f"Branch {number}", f"3cx_{number:043}")
    database = earlier.database()
    adopt(database)
    database.dispose()
    api = Api.build(database_url=earlier.url)
    admin = Browser(api).sign_in()
    first = admin.open("/organizations")
    second = first.click("More organizations")
    names = [row.th.a.text for page in (first, second) for row in page.html.select("tbody tr")]
    assert sorted(names) == sorted(["Acme", *(f"Branch {number}" for number in range(55))])
    for search in ("acme", acme[-12:].upper()):
        found = admin.open(f"/organizations?search={search}")
        assert [row.th.a.text for row in found.html.select("tbody tr")] == ["Acme"]
    assert found.click("Acme").html.h1.text == "Overview"
    assert admin.open("/organizations?after=none-of-them", status=400).html.h1
    api.close()
