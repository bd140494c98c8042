"""What a trace shows, and what it hides."""

import json

import pytest

from callhelm_threecx.pbx import Pbx
from callhelm_threecx.pbx.exchange import MASK, Exchange
from callhelm_threecx.pbx.outgoing import Outgoing
from tests.pbx.crm import Crm, Reply, lookup, person, template


def exchange(url: str = "http://crm/", body: str = "", answer: str = "", **more: str) -> Exchange:
    outgoing = Outgoing("POST", url, tuple(more.items()), body.encode())
    return Exchange("x", outgoing, 200, (), answer, secrets=frozenset({"s3cret/+key", "abc"}))


HIDDEN = [
    ("http://crm/?apiKey=visible&n=1", f"http://crm/?apiKey={MASK}&n=1"),
    ("http://crm/?api_key=visible", f"http://crm/?api_key={MASK}"),
    ("http://crm/?access_token=visible#x", f"http://crm/?access_token={MASK}#x"),
    ("password=visible&user=eva", f"password={MASK}&user=eva"),
    ('{"access_token": "visible", "n": "1"}', f'{{"access_token": "{MASK}", "n": "1"}}'),
    ('{"refresh_token":"vis\\"ible"}', f'{{"refresh_token":"{MASK}"}}'),
    ('{ "sessionId": "visible" }', f'{{ "sessionId": "{MASK}" }}'),
    ("put s3cret/+key here", f"put {MASK} here"),
    ("put s3cret%2F%2Bkey here", f"put {MASK} here"),
    ("abc is too short to be a secret", "abc is too short to be a secret"),
    ('{"name": "visible"}', '{"name": "visible"}'),
    ('{"token": ""}', '{"token": ""}'),
]


@pytest.mark.parametrize(("text", "shown"), HIDDEN)
def test_secrets_are_masked_by_value_and_by_name(text: str, shown: str) -> None:
    assert exchange().masked(text) == shown


@pytest.mark.parametrize("name", ["x-api-key", "Authorization", "apikey", "X-Auth-Token", "Cookie"])
def test_headers_that_carry_keys_are_masked(name: str) -> None:
    shown = exchange(**{name: "visible"}).show()
    assert "visible" not in shown
    assert f"{name}: {MASK}" in shown


def test_neither_the_repr_nor_the_data_of_an_exchange_has_a_key() -> None:
    found = exchange("http://crm/s3cret/+key", '{"password":"visible"}', "s3cret/+key")
    for text in (repr(found), json.dumps(found.to_dict()), found.show()):
        assert "s3cret" not in text
        assert "visible" not in text


def test_a_password_parameter_is_masked_wherever_it_goes() -> None:
    request = (
        '<Request Url="http://crm/[Pass]?k=[Pass]" RequestType="Post" RequestEncoding="Json">'
        '<Headers><Value Key="X-Plain">[Pass]</Value></Headers>'
        '<PostValues><Value Key="plain">[Pass]</Value></PostValues></Request>'
    )
    parameters = '<Parameter Name="Pass" Type="Password"/><Parameter Name="n" Type="String"/>'
    crm = Crm(lambda asked: {"people": [person()], "echo": asked.body})
    pbx = Pbx(template(lookup(request), parameters=parameters), {"Pass": "hunter22"}, app=crm)
    call = pbx.ring("+14155550100")
    assert "hunter22" in crm.asked[0].body
    assert "hunter22" not in call.show() + json.dumps(call.answer.to_dict()) + repr(call)


def test_a_trace_shows_request_answer_and_telling_headers() -> None:
    headers = {"X-Request-Id": "r-1", "Set-Cookie": "a=b"}
    crm = Crm(lambda _asked: Reply({"people": [person()]}, headers=headers))
    shown = Pbx(template(lookup()), app=crm).ring("+14155550100").show()
    assert shown.startswith("# lookup by number\nGET http://crm/find?n=+14155550100")
    assert "-> 200 in" in shown
    assert "x-request-id: r-1" in shown
    assert "Set-Cookie" not in shown
    assert '"first": "Ann"' in shown


def test_a_request_without_an_answer_says_so() -> None:
    failed = Exchange("x", Outgoing("GET", "http://crm/", (), b""), error="Nobody is there.")
    assert "-> no answer in 0 ms\n   Nobody is there." in failed.show()
    assert not failed.ok
