"""Our own template: what a PBX needs to use a Call-Helm server, with URL and key filled in.

Why it is as it is (sources as in the project's protocol notes):

* **Number.** `Prefix="AsIs"` and `MaxLength="[MaxLength]"`: the number comes as the PBX knows it,
  cut as its administrator chose; the server understands every form and echoes the one it was asked
  for. A literal `+` in a URL reaches a server as a space (reported from live PBXs), so the URL
  writes `[[Number].Replace("+","%2B")]`, the form that is reported to work. Free text may hold any
  character, not only a plus; it travels in `QueryParams`, whose encoding is the PBX's own business.
* **Key.** In the header `x-api-key`, never in a URL, which logs keep.
* **One evaluation.** The key and the base URL are evaluated exactly once wherever they are used
  (no `Passes` above 1 touches them), so square brackets in them stay what they are. The name of the
  organization is shown in the console of the PBX and used in no expression at all. Only the subject
  lines are evaluated twice: an administrator writes variables into them.
* **ReportCall** is one request with no rules, variables or outputs: with them some versions did
  not run it (reported from live PBXs). Times are formatted, or the PBX's culture would decide their
  form; the time at which a call was established is left out, because it is null for a missed call,
  and formatting null fails the whole request. What version 20 knows of a call is evaluated once, as
  transcripts hold brackets.
* **CreateContactRecord** is not there. The PBX would run it for every unknown caller, wanted or
  not; the server creates contacts from journaled calls when the organization has switched that on.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import quoteattr

from callhelm_threecx import routes
from callhelm_threecx.template.builder_scenarios import scenarios
from callhelm_threecx.template.codec import serialize
from callhelm_threecx.template.errors import TemplateError
from callhelm_threecx.template.model import (
    Authentication,
    Connection,
    Crm,
    Number,
    Parameter,
    Section,
)
from callhelm_threecx.template.xmlwrite import checked_text

TEMPLATE_VERSION: Final = 1
"""Raised whenever a released template changes; the PBX compares it on upload."""

_GENERAL: Final = "General Configuration"
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*\Z")
# Stand-ins for the three values in the cached text; no other attribute can begin with "@".
_SLOTS: Final = re.compile('"(@ApiKey|@BaseUrl|@Organization)"')


def build_template(
    *,
    base_url: str,
    api_key: str,
    prefix: str = routes.DEFAULT_PREFIX,
    organization_name: str = "",
    journaling: bool = True,
    chat_journaling: bool | None = None,
    contact_creation: bool = True,
) -> Crm:
    """Build the template of one organization.

    Args:
        base_url: where the PBX reaches the server, without the prefix and a trailing slash.
        api_key: the organization's key.
        prefix: the path under which the server is mounted; empty for the root.
        organization_name: shown to the administrator among the settings, when it is not empty.
        journaling: whether call journaling is switched on until someone changes that.
        chat_journaling: the same for chats; when it is not given, as for calls.
        contact_creation: the same for the creation of contacts from the 3CX client.

    Raises:
        TemplateError: `bad_prefix` when the prefix is not a plain URL path.
    """
    skeleton = _skeleton(
        _clean_prefix(prefix),
        bool(organization_name),
        journaling,
        journaling if chat_journaling is None else chat_journaling,
        contact_creation,
    )
    values = _values(base_url, api_key, organization_name)
    items = tuple(
        replace(item, default=values.get(item.default or "", item.default))
        for item in skeleton.parameters
    )
    return replace(skeleton, parameters=Section(items=items))


def render_template(
    *,
    base_url: str,
    api_key: str,
    prefix: str = routes.DEFAULT_PREFIX,
    organization_name: str = "",
    journaling: bool = True,
    chat_journaling: bool | None = None,
    contact_creation: bool = True,
) -> str:
    """The text of the file: `serialize(build_template(...))`, from a cached text and so at once.

    Raises:
        TemplateError: as `build_template`; `forbidden_character` when a value holds a character
            that XML cannot contain.
    """
    text = _skeleton_text(
        _clean_prefix(prefix),
        bool(organization_name),
        journaling,
        journaling if chat_journaling is None else chat_journaling,
        contact_creation,
    )
    values = _values(base_url, api_key, organization_name)
    quoted = {
        slot: quoteattr(checked_text(value, f"The value of {slot[1:]}"))
        for slot, value in values.items()
    }
    return _SLOTS.sub(lambda found: quoted[found.group(1)], text)


def _values(base_url: str, api_key: str, organization_name: str) -> dict[str, str]:
    return {
        "@ApiKey": api_key,
        "@BaseUrl": base_url.rstrip("/"),
        "@Organization": organization_name,
    }


def _clean_prefix(prefix: str) -> str:
    path = prefix.rstrip("/")
    if not _PREFIX.match(path):
        raise TemplateError(
            "bad_prefix",
            f"The prefix {prefix!r} is not a plain URL path such as {routes.DEFAULT_PREFIX}.",
        )
    return path


@lru_cache(maxsize=32)
def _skeleton_text(prefix: str, named: bool, calls: bool, chats: bool, creation: bool) -> str:
    return serialize(_skeleton(prefix, named, calls, chats, creation))


@lru_cache(maxsize=32)
def _skeleton(prefix: str, named: bool, calls: bool, chats: bool, creation: bool) -> Crm:
    return Crm(
        country="US",
        name="Call-Helm",
        version=str(TEMPLATE_VERSION),
        supports_emojis="true",
        supports_transcription="true",
        number=Number(prefix="AsIs", max_length="[MaxLength]"),
        connection=Connection(max_concurrent_requests="16"),
        parameters=Section(items=_parameters(named, calls, chats, creation)),
        authentication=Authentication(type="No"),
        scenarios=Section(items=scenarios(prefix)),
    )


def _parameters(named: bool, calls: bool, chats: bool, creation: bool) -> tuple[Parameter, ...]:
    shown = [_parameter("Organization", "Organization", "@Organization")] if named else []
    return (
        _parameter("BaseUrl", "Call-Helm URL", "@BaseUrl"),
        _parameter("ApiKey", "Call-Helm API Key", "@ApiKey", type_="Password"),
        *shown,
        _switch("CreateContactEnabled", "Allow contact creation", creation, _GENERAL),
        _switch("ReportCallEnabled", "Enable Call Journaling", calls, ""),
        *(
            _parameter(name, title, default, parent="ReportCallEnabled")
            for name, title, default in _CALL_SUBJECTS
        ),
        _switch("ReportChatEnabled", "Enable Chat Journaling", chats, ""),
        _parameter(
            "ChatSubject", "Subject of a chat", "Chat with [Name]", parent="ReportChatEnabled"
        ),
    )


_CALL_SUBJECTS: Final = (
    ("InboundSubject", "Subject of an answered incoming call", "Call from [Number] [Name]"),
    ("MissedSubject", "Subject of a missed call", "Missed call from [Number] [Name]"),
    ("OutboundSubject", "Subject of an answered outgoing call", "Call to [Number] [Name]"),
    (
        "NotansweredSubject",
        "Subject of an outgoing call that nobody answered",
        "Unanswered call to [Number] [Name]",
    ),
)


def _parameter(
    name: str, title: str, default: str, *, type_: str = "String", parent: str = _GENERAL
) -> Parameter:
    return Parameter(
        name=name, type=type_, parent=parent, editor="String", title=title, default=default
    )


def _switch(name: str, title: str, on: bool, parent: str) -> Parameter:
    return _parameter(name, title, "True" if on else "False", type_="Boolean", parent=parent)
