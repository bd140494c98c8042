"""``agents import`` and ``agents export``."""

from tests.cli.conftest import Cli

TEAM = """\
extension;AgentEmail;AgentFirstName;AgentLastName;AgentId;Team
101;mia@example.com;Mia;Winter;u1;red
9;=ben@example.com;Ben;;u2;red
"""


def export(cli: Cli, organization: str = "acme") -> list[str]:
    return cli("agents", "export", "-", "--org", organization).stdout.splitlines()


def test_mappings_come_in_and_out(cli: Cli) -> None:
    path = cli.write("team.csv", TEAM)
    result = cli("agents", "import", path, "--org", "acme")
    assert result.stdout == "2 mapped, 0 refused.\n"
    assert result.stderr == "Columns that are left out: Team.\n"
    assert export(cli) == [
        "Extension,AgentEmail,AgentFirstName,AgentLastName,AgentId",
        "9,'=ben@example.com,Ben,,u2",
        "101,mia@example.com,Mia,Winter,u1",
    ]


def test_an_extension_is_mapped_anew_and_the_others_stay(cli: Cli) -> None:
    cli("agents", "import", cli.write("team.csv", TEAM), "--org", "acme")
    change = cli.write("change.csv", "Extension,AgentId\n101,u9\n")
    assert cli.json("agents", "import", change, "--org", "acme")["mapped"] == 1
    assert export(cli)[1:] == ["9,'=ben@example.com,Ben,,u2", "101,,,,u9"]


def test_refused_rows_are_told_with_their_lines(cli: Cli) -> None:
    text = f"Extension,AgentId\n101,u1\n,u2\n101,u3\n{'1' * 21},u4\n102,u5,u6\n"
    rejects = cli.path("rejects.csv")
    path = cli.write("team.csv", text)
    result = cli("agents", "import", path, "--org", "acme", "--rejects", rejects, status=1)
    assert result.stdout == "1 mapped, 4 refused.\n"
    assert result.stderr.splitlines() == [
        "Line 3: has no Extension",
        "Line 4: the extension 101 stands further up already",
        "Line 5: Extension is longer than 20 characters",
        "Line 6: has 3 cells, the header 2",
    ]
    assert len((cli.folder / "rejects.csv").read_text().splitlines()) == 5
    assert export(cli)[1:] == ["101,,,,u1"]


def test_export_and_import_give_another_organization_the_same_mappings(cli: Cli) -> None:
    cli("org", "create", "beta")
    cli("agents", "import", cli.write("team.csv", TEAM), "--org", "acme")
    cli("agents", "export", cli.path("out.csv"), "--org", "acme")
    cli("agents", "import", cli.path("out.csv"), "--org", "beta")
    assert export(cli, "beta") == export(cli, "acme")


def test_a_table_without_any_row_maps_nothing(cli: Cli) -> None:
    path = cli.write("team.csv", "Extension\n")
    assert cli("agents", "import", path, "--org", "acme").stdout == "0 mapped, 0 refused.\n"
