"""Requests as they go over the wire."""

from typing import Any

import pytest

from callhelm_threecx.pbx import Call, EvaluationError, Pbx, StrictError
from tests.pbx.crm import Asked, Crm, lookup, person, template

NUMBER = "+14155550100"


def ask(request: str, *, strict: bool = False, number: str = NUMBER) -> tuple[list[Asked], Call]:
    crm = Crm(lambda _asked: {"people": [person()]})
    call = Pbx(template(lookup(request)), app=crm, strict=strict).ring(number)
    return crm.asked, call


def get(url: str, inside: str = "") -> str:
    return f'<Request Url="{url}" RequestType="Get">{inside}</Request>'


def post(inside: str, encoding: str = "Json", more: str = "") -> str:
    return (
        f'<Request Url="http://crm/" RequestType="Post" RequestEncoding="{encoding}" {more}>'
        f"<PostValues>{inside}</PostValues></Request>"
    )


ADDRESSES = [
    ("http://crm/find?n=[Number]", "/find", "n=+14155550100"),
    (
        "http://crm/find?n=[[Number].Replace(&quot;+&quot;,&quot;%2B&quot;)]",
        "/find",
        "n=%2B14155550100",
    ),
    ("http://crm/find?n=two words", "/find", "n=two%20words"),
    ("http://crm/é?n=ü", "/é", "n=%C3%BC"),
    ("http://crm/a%2Fb?x=%zz", "/a/b", "x=%zz"),
    ("http://crm/?x=[Nobody]", "/", "x=[Nobody]"),
    ("http://crm/#part", "/", ""),
    (" http://crm/find ", "/find", ""),
]


@pytest.mark.parametrize(("url", "path", "query"), ADDRESSES)
def test_an_address_goes_out_as_the_template_has_it(url: str, path: str, query: str) -> None:
    (asked,), _ = ask(get(url))
    assert (asked.path, asked.query) == (path, query)


def test_query_parameters_are_encoded_and_added() -> None:
    params = (
        "<QueryParams><Value Key='a b'>[Number]</Value><Value Key='q'>x&amp;y=ü</Value>"
        "<Value Key='no' If='[Number]==1'>z</Value></QueryParams>"
    )
    for url, query in (
        ("http://crm/find", "a%20b=%2B14155550100&q=x%26y%3D%C3%BC"),
        ("http://crm/find?s=1#end", "s=1&a%20b=%2B14155550100&q=x%26y%3D%C3%BC"),
    ):
        (asked,), _ = ask(get(url, params))
        assert asked.query == query


@pytest.mark.parametrize("kind", ["Get", "Post", "Put", "Patch", "Delete"])
def test_every_request_type_has_its_method(kind: str) -> None:
    (asked,), _ = ask(f'<Request Url="http://crm/" RequestType="{kind}"/>')
    assert asked.method == kind.upper()


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ('<Request Url="http://crm/" RequestType="GET"/>', '"GET" is none of'),
        (
            '<Request Url="http://crm/" RequestType="Post" RequestEncoding="json"/>',
            "RequestEncoding",
        ),
        ('<Request Url="http://crm/" ResponseType="Text"/>', "ResponseType"),
        ('<Request Url=""/>', "no Url"),
        ('<Request Url="crm/find"/>', "not an http or https address"),
        ('<Request Url="ftp://crm/"/>', "not an http or https address"),
        ('<Request Url="http://crm:port/"/>', "port"),
        ('<Request Url="[[Number].Nonsense()]"/>', "no method Nonsense"),
    ],
)
def test_a_request_that_cannot_be_made_says_why(request_: str, reason: str) -> None:
    _, call = ask(request_)
    assert not call.contacts
    assert reason in call.failures[0].reason


def test_a_get_sends_no_body_and_says_so() -> None:
    values = "<PostValues><Value Key='a'>1</Value></PostValues>"
    (asked,), call = ask(get("http://crm/", values))
    assert asked.body == ""
    assert "A Get has no body" in call.notes[0]


BODIES: list[tuple[str, Any]] = [
    ("<Value Key='n'>[Number]</Value>", {"n": NUMBER}),
    (
        "<Value Key='n' Type='String'>quote \" back \\ line&#x0A;end é</Value>",
        {"n": 'quote " back \\ line\nend é'},
    ),
    ("<Value Key='n'/>", {"n": ""}),
    ("<Value Key='n'>  kept  </Value>", {"n": "  kept  "}),
    ("<Value Key='n' Type='Integer'>5</Value>", {"n": 5}),
    ("<Value Key='n' Type='Double'>5.5</Value>", {"n": 5.5}),
    ("<Value Key='n' Type='Boolean'>True</Value>", {"n": True}),
    ("<Value Key='n' Type='Boolean'>[IIf([Number]==1,True,False)]</Value>", {"n": False}),
    (
        "<Object Key='o'><Value Key='a'>1</Value><Value Key='b'>2</Value></Object>",
        {"o": {"a": "1", "b": "2"}},
    ),
    ("<Array Key='l'><Value>1</Value><Value>2</Value></Array>", {"l": ["1", "2"]}),
    (
        "<Array Key='l'><Object><Value Key='a'>1</Value></Object><Array/></Array>",
        {"l": [{"a": "1"}, []]},
    ),
    ("<Object Key='o'/>", {"o": {}}),
    ("<Value Key='a' If='[CallDirection]==Inbound'>in</Value>", {"a": "in"}),
    ("<Value Key='a' If='[CallDirection]==Outbound'>out</Value>", {}),
    ("<Value Key='a' SkipIf='[CallDirection]==\"Inbound\"'>x</Value>", {}),
    ("<Object Key='o' If='False'><Value Key='a'>1</Value></Object>", {}),
    ("<Array Key='l'><Value If='False'>1</Value><Value>2</Value></Array>", {"l": ["2"]}),
    (
        (
            "<Value Key='a' If='[CallDirection]==Inbound'>in</Value>"
            "<Value Key='a' If='[CallDirection]==Outbound'>out</Value>"
        ),
        {"a": "in"},
    ),
    ("<Value Key='a' Passes='x'>[Number]</Value>", {"a": NUMBER}),
]


@pytest.mark.parametrize(("values", "expected"), BODIES)
def test_post_values_become_json(values: str, expected: Any) -> None:
    (asked,), call = ask(post(values))
    assert asked.json == expected
    assert asked.headers["content-type"] == "application/json"
    assert not call.notes


@pytest.mark.parametrize(
    "value",
    [
        "<Value Key='n' Type='Integer'>five</Value>",
        "<Value Key='n' Type='Integer'>5.5</Value>",
        "<Value Key='n' Type='Double'>NaN</Value>",
        "<Value Key='n' Type='Boolean'>maybe</Value>",
    ],
)
def test_a_value_that_does_not_fit_its_type_stops_the_request(value: str) -> None:
    asked, call = ask(post(value))
    assert not asked
    assert '"n" is' in call.failures[0].reason


def test_post_values_become_a_form() -> None:
    values = (
        "<Value Key='a b'>x y&amp;z=1+ü</Value><Value Key='n'>[Number]</Value>"
        "<Value Key='s' SkipIf='True'>no</Value>"
    )
    (asked,), _ = ask(post(values, "UrlEncoded"))
    assert asked.body == "a+b=x+y%26z%3D1%2B%C3%BC&n=%2B14155550100"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_form_cannot_be_nested_and_says_so() -> None:
    values = "<Object Key='o'><Value Key='a'>1</Value></Object>"
    (asked,), call = ask(post(values, "UrlEncoded"))
    assert asked.form == {"o": '{"a":"1"}'}
    assert "nested" in call.notes[0]


def test_a_message_is_sent_as_it_is_written() -> None:
    request = (
        '<Request Url="http://crm/" RequestType="Post" RequestContentType="text/xml; charset=utf-8"'
        ' Message="&lt;n a=^^1^^&gt;[Number] {{x}}&lt;/n&gt;" MessagePasses="1"/>'
    )
    (asked,), _ = ask(request)
    assert asked.body == f'<n a="1">{NUMBER} [x]</n>'
    assert asked.headers["content-type"] == "text/xml; charset=utf-8"


def test_a_message_and_post_values_exclude_each_other() -> None:
    request = post("<Value Key='n'>1</Value>", more='Message="text"')
    (asked,), call = ask(request)
    assert asked.body == "text"
    assert "exclude each other" in call.notes[0]
    with pytest.raises(StrictError):
        ask(request, strict=True)


def test_an_empty_message_beside_post_values_is_none() -> None:
    (asked,), call = ask(post("<Value Key='n'>1</Value>", more='Message=""'))
    assert asked.json == {"n": "1"}
    assert not call.notes


def test_headers_are_filled_in() -> None:
    headers = (
        "<Headers><Value Key='X-Number'>[Number]</Value><Value Key='X-No' If='False'>1</Value>"
        "<Value Key='Content-Type'>text/plain</Value><Value>nameless</Value></Headers>"
    )
    (asked,), _ = ask(get("http://crm/", headers))
    assert asked.headers["x-number"] == NUMBER
    assert asked.headers["content-type"] == "text/plain"
    assert "x-no" not in asked.headers


@pytest.mark.parametrize("value", ["line&#x0A;break", "smörgås"])
def test_a_header_that_cannot_travel_is_left_out(value: str) -> None:
    (asked,), call = ask(get("http://crm/", f"<Headers><Value Key='X-A'>{value}</Value></Headers>"))
    assert "x-a" not in asked.headers
    assert "X-A" in call.notes[0]


def test_strict_mode_raises_where_a_request_cannot_be_made() -> None:
    with pytest.raises(EvaluationError):
        ask('<Request Url="http://crm/" RequestType="GET"/>', strict=True)
