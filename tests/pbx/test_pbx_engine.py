"""Authentication, chains and lookups in a row."""

from typing import Any

import pytest

from callhelm_threecx.pbx import Pbx, PbxError, StrictError
from callhelm_threecx.pbx.engine import Engine
from callhelm_threecx.pbx.operation import MAX_CHAIN
from callhelm_threecx.template.codec import parse
from tests.pbx.crm import Asked, Crm, Reply, lookup, person, template

NUMBER = "+14155550100"
START = """<Scenario><Request Url="http://crm/s"/>
  <Outputs Next="{}" AllowEmpty="true"/></Scenario>"""


def found(*_asked: Asked) -> Any:
    return {"people": [person()]}


def scenario(
    name: str, url: str, *, outputs: str = "", variables: str = "", request: str = ""
) -> str:
    return (
        f'<Scenario Id="{name}" Type="REST"><Request Url="http://crm/{url}" {request}/>'
        f"{variables}{outputs}</Scenario>"
    )


def test_without_authentication_no_header_is_added() -> None:
    crm = Crm(found)
    Pbx(template(lookup(), head='<Authentication Type="No"/>'), app=crm).ring(NUMBER)
    assert "authorization" not in crm.asked[0].headers


def test_basic_authentication_fills_in_user_and_password() -> None:
    crm = Crm(found)
    head = '<Authentication Type="Basic"><Value>[User]:[Pass]</Value></Authentication>'
    parameters = '<Parameter Name="User"/><Parameter Name="Pass" Type="Password"/>'
    pbx = Pbx(
        template(lookup(), head=head, parameters=parameters),
        {"User": "Aladdin", "Pass": "open sesame"},
        app=crm,
    )
    call = pbx.ring(NUMBER)
    assert crm.asked[0].headers["authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert "QWxhZGRpbjpvcGVu" not in call.show()


def test_an_unknown_authentication_lets_nothing_run() -> None:
    crm = Crm(found)
    pbx = Pbx(template(lookup(), head='<Authentication Type="Magic"/>'), app=crm)
    assert "Magic" in pbx.ring(NUMBER).failures[0].reason
    assert not crm.asked


BEARER = """<Authentication Type="Scenario"><Value>Auth</Value></Authentication>"""


def auth(expiration: str = "", following: str = "") -> str:
    return scenario(
        "Auth",
        "token",
        variables='<Variables><Variable Name="Token" Path="token"/></Variables>',
        outputs=(
            f'<Outputs Next="{following}" AllowEmpty="false">'
            '<Output Type="HeaderName" Value="X-Auth"/>'
            '<Output Type="HeaderValue" Value="T [Token]"/>'
            f"{expiration}</Outputs>"
        ),
    )


EXPIRES = '<Output Type="BearerExpiration" Value="3600"/>'


class TokenServer:
    """Hands out tokens by number; refuses those in ``refused``."""

    def __init__(self) -> None:
        self.tokens = 0
        self.refused: set[str] = set()
        self.crm = Crm(self.answer)

    def answer(self, asked: Asked) -> Any:
        if asked.path == "/token":
            self.tokens += 1
            return {"token": str(self.tokens)}
        if asked.headers.get("x-auth") in self.refused | {None}:
            return Reply({}, "401 Unauthorized")
        return found()


def engine_on(server: TokenServer, *scenarios: str, now: list[float]) -> tuple[Engine, Any]:
    crm = parse(template("".join(scenarios) + lookup(), head=BEARER))
    engine = Engine(crm, app=server.crm, clock=lambda: now[0])
    return engine, crm.of_kind("lookup")


def test_a_token_without_an_expiration_serves_for_one_action() -> None:
    server = TokenServer()
    engine, lookups = engine_on(server, auth(), now=[0.0])
    for _ in range(2):
        assert engine.run(lookups, {"Number": "1"}).ok
    assert server.tokens == 2
    assert [each.headers.get("x-auth") for each in server.crm.asked] == [None, "T 1", None, "T 2"]


def test_a_token_serves_until_it_expires() -> None:
    server, now = TokenServer(), [0.0]
    engine, lookups = engine_on(server, auth(EXPIRES), now=now)
    for moment, tokens in ((0, 1), (3599, 1), (3600, 2), (3700, 2), (7201, 3)):
        now[0] = float(moment)
        assert engine.run(lookups, {"Number": "1"}).ok
        assert server.tokens == tokens


def test_a_token_that_the_server_refuses_is_not_used_again() -> None:
    server, now = TokenServer(), [0.0]
    engine, lookups = engine_on(server, auth(EXPIRES), now=now)
    assert engine.run(lookups, {"Number": "1"}).ok
    server.refused.add("T 1")
    assert "401" in engine.run(lookups, {"Number": "1"}).failures[0].reason
    assert engine.run(lookups, {"Number": "1"}).ok
    assert server.tokens == 2


def test_a_header_is_published_in_the_middle_of_the_chain() -> None:
    server = TokenServer()
    second = scenario("Second", "second", outputs='<Outputs AllowEmpty="false"/>')
    engine, lookups = engine_on(server, auth(following="Second"), second, now=[0.0])
    assert engine.run(lookups, {"Number": "1"}).ok
    assert [each.path for each in server.crm.asked] == ["/token", "/second", "/find"]
    assert server.crm.asked[1].headers["x-auth"] == "T 1"


def test_an_authentication_that_fails_lets_nothing_run() -> None:
    crm = Crm(lambda _asked: Reply({}, "500 Internal Server Error"))
    call = Pbx(template(auth() + lookup(), head=BEARER), app=crm).ring(NUMBER)
    assert [each.path for each in crm.asked] == ["/token"]
    assert any("authentication failed" in each.reason for each in call.failures)


def test_an_authentication_that_is_not_there_lets_nothing_run() -> None:
    call = Pbx(template(lookup(), head=BEARER), app=Crm(found)).ring(NUMBER)
    assert '"Auth", which is not there' in call.failures[0].reason
    with pytest.raises(PbxError):
        Pbx(template(lookup(), head=BEARER), app=Crm(found), strict=True).ring(NUMBER)


def test_later_lookups_are_told_what_earlier_ones_found() -> None:
    crm = Crm(found)
    second = lookup('<Request SkipIf="[FoundRecordCount]&gt;0" Url="http://crm/second"/>')
    call = Pbx(template(lookup() + second), app=crm).ring(NUMBER)
    assert [each.path for each in crm.asked] == ["/find"]
    assert len(call.contacts) == 1


def test_all_lookups_run_when_none_is_skipped() -> None:
    crm = Crm(lambda asked: {"people": [person(2 if asked.path == "/second" else 1)]})
    second = lookup('<Request Url="http://crm/second?[FoundRecordCount]"/>')
    call = Pbx(template(lookup() + second), app=crm).ring(NUMBER)
    assert [contact.entity_id for contact in call.contacts] == ["1", "2"]
    assert crm.asked[1].query == "1"


def chain(allow_empty: str = "false", skip: str = "") -> str:
    first = f"""<Scenario Type="REST"><Request SkipIf="{skip}" Url="http://crm/first"/>
      <Rules><Rule Type="Any">people.id</Rule></Rules>
      <Variables><Variable Name="Which" Path="people.id"/></Variables>
      <Outputs Next="Detail" AllowEmpty="{allow_empty}"><Output Type="LastName" Value="x"/>
      </Outputs>
    </Scenario>"""
    detail = lookup('<Request Url="http://crm/detail/[Which]"/>')
    return first + detail.replace("<Scenario ", '<Scenario Id="Detail" ')


def chained(asked: Asked) -> Any:
    if asked.path == "/first":
        return {"people": [person(1), person(2)]}
    number = int(asked.path.rpartition("/")[2] or 0)
    return {"people": [person(number, first=f"N{number}")]}


def test_next_runs_once_per_result_and_only_its_outputs_are_shown() -> None:
    crm = Crm(chained)
    call = Pbx(template(chain()), app=crm).ring(NUMBER)
    assert [each.path for each in crm.asked] == ["/first", "/detail/1", "/detail/2"]
    assert [(each.first_name, each.last_name) for each in call.contacts] == [("N1", ""), ("N2", "")]


def test_an_empty_answer_ends_the_chain() -> None:
    crm = Crm(lambda _asked: {"people": []})
    call = Pbx(template(chain()), app=crm).ring(NUMBER)
    assert [each.path for each in crm.asked] == ["/first"]
    assert not call.contacts
    assert not call.dropped


def test_an_empty_answer_goes_on_where_it_may_be_empty() -> None:
    crm = Crm(lambda asked: {"people": []} if asked.path == "/first" else chained(asked))
    Pbx(template(chain("true")), app=crm).ring(NUMBER)
    assert [each.path for each in crm.asked] == ["/first", "/detail/"]


@pytest.mark.parametrize(("allow_empty", "paths"), [("true", ["/detail/"]), ("false", [])])
def test_a_skipped_request_goes_on_where_it_may_be_empty(
    allow_empty: str, paths: list[str]
) -> None:
    crm = Crm(chained)
    Pbx(template(chain(allow_empty, skip="True")), app=crm).ring(NUMBER)
    assert [each.path for each in crm.asked] == paths


def test_one_failing_link_does_not_spoil_the_others() -> None:
    crm = Crm(lambda asked: Reply({}, "500 Oops") if asked.path == "/detail/1" else chained(asked))
    call = Pbx(template(chain()), app=crm).ring(NUMBER)
    assert [each.first_name for each in call.contacts] == ["N2"]
    assert [str(each) for each in call.failures] == ["Detail: The server answered 500."]


def test_next_in_a_circle_comes_to_an_end() -> None:
    circle = scenario("A", "a", outputs='<Outputs Next="B" AllowEmpty="true"/>') + scenario(
        "B", "b", outputs='<Outputs Next="A" AllowEmpty="true"/>'
    )
    start = (
        '<Scenario><Request Url="http://crm/s"/><Outputs Next="A" AllowEmpty="true"/></Scenario>'
    )
    crm = Crm(lambda _asked: {})
    call = Pbx(template(start + circle), app=crm).ring(NUMBER)
    assert len(crm.asked) == MAX_CHAIN
    assert "follow one another" in call.failures[0].reason


def test_a_chain_that_multiplies_comes_to_an_end() -> None:
    wide = """<Scenario Id="W"><Request Url="http://crm/w"/><Rules><Rule Type="Any">people.id</Rule>
      </Rules><Variables/><Outputs Next="W" AllowEmpty="false"/></Scenario>"""
    start = (
        '<Scenario><Request Url="http://crm/s"/><Outputs Next="W" AllowEmpty="true"/></Scenario>'
    )
    crm = Crm(lambda _asked: {"people": [person(each) for each in range(30)]})
    call = Pbx(template(start + wide), app=crm).ring(NUMBER)
    assert len(crm.asked) <= 500
    assert any("More than 500 requests" in each.reason for each in call.failures)


@pytest.mark.parametrize(
    ("scenarios", "reason"),
    [
        ('<Scenario Type="SQLDatabase"><Request Url="http://crm/"/></Scenario>', "SQLDatabase"),
        ('<Scenario Type="REST"/>', "no Request"),
        (START.format("Gone"), '"Gone", which is not there'),
    ],
)
def test_a_scenario_that_cannot_run_says_why(scenarios: str, reason: str) -> None:
    call = Pbx(template(scenarios), app=Crm(found)).ring(NUMBER)
    assert reason in call.failures[0].reason


@pytest.mark.parametrize("content", ["<html>", "{", ""])
def test_an_answer_that_cannot_be_read_is_a_failure_only_where_it_is_read(content: str) -> None:
    crm = Crm(lambda _asked: Reply(content))
    report = scenario("ReportCall", "log", request='RequestType="Post"')
    pbx = Pbx(template(lookup() + report), app=crm)
    call = pbx.ring(NUMBER)
    assert not call.contacts
    assert bool(call.failures) == bool(content)
    assert pbx.hang_up(call).ok


def test_strict_mode_raises_on_an_unknown_variable() -> None:
    request = '<Request Url="http://crm/[Nobody]"/>'
    call = Pbx(template(lookup(request)), app=Crm(found)).ring(NUMBER)
    assert "Nothing provides the variable [Nobody]; it stays as it is." in call.notes
    with pytest.raises(StrictError):
        Pbx(template(lookup(request)), app=Crm(found), strict=True).ring(NUMBER)


def test_an_oauth_parameter_must_be_one() -> None:
    parameters = '<Parameter Name="A" Type="String"/><Parameter Name="B" Type="OAuth" RequestUrl="http://x"/>'
    engine = Engine(parse(template(lookup(), parameters=parameters)))
    with pytest.raises(PbxError, match="no OAuth parameter"):
        engine.authorization_url("A", "r", "s")
    assert engine.authorization_url("B", "r", "s") == "http://x"
    with pytest.raises(PbxError, match="not a scenario"):
        engine.authorize("B", "c", "r", "s")
