"""The story of a call: a PBX that rings, looks callers up, and journals what was said.

pbx = Pbx("crm.xml", {"ApiKey": "…"}, base="http://127.0.0.1:8080")
call = pbx.ring("+14155552671")
assert call.screen_pop == "https://crm.example.com/contacts/7"
assert pbx.hang_up(call, talk=90).ok
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from threading import Lock
from types import TracebackType
from urllib.parse import quote

from callhelm_threecx.pbx.calls import (
    INBOUND,
    OUTBOUND,
    Agent,
    Call,
    Journal,
    Setting,
    call_variables,
    chat_variables,
)
from callhelm_threecx.pbx.culture import culture as culture_named
from callhelm_threecx.pbx.engine import Engine
from callhelm_threecx.pbx.errors import ScenarioError
from callhelm_threecx.pbx.matching import caller_verdict, name_verdict, person_verdict
from callhelm_threecx.pbx.results import Answer, Contact
from callhelm_threecx.pbx.transport import DEFAULT_TIME_LIMIT, WsgiApp
from callhelm_threecx.pbx.values import Value
from callhelm_threecx.template.codec import parse
from callhelm_threecx.template.model import Crm, ScenarioKind
from callhelm_threecx.template.predefined import CFD_ALIASES
from callhelm_threecx.template.scenario_ids import CFD_FREE_QUERY, CFD_ID, CFD_NUMBER

Template = Crm | Path | str | bytes
Seconds = float | timedelta

_CFD = {"number": CFD_NUMBER, "id": CFD_ID, "query": CFD_FREE_QUERY}


def load_template(template: Template) -> Crm:
    """Read a template: a path, XML as text or bytes, or one that has been read already.

    Raises ``TemplateError`` for what is not a template, ``OSError`` for a file that is not there.
    """
    if isinstance(template, Crm):
        return template
    if isinstance(template, Path) or (isinstance(template, str) and "<" not in template):
        return parse(Path(template).read_bytes())
    return parse(template)


class Pbx:
    """A 3CX phone system with one CRM template. Safe for many threads.

    ``app`` is a WSGI application that answers in this process; ``base`` is an origin that takes
    the place of whatever origin the template's requests name. ``max_length`` is the PBX's own
    setting "match the last N digits". ``culture`` is a .NET name such as ``de-DE``, ``zone`` the
    PBX's time zone, ``version`` the 3CX version: below 20 the variables of recordings and their
    transcripts do not exist. ``create_unknown`` creates contacts for unknown callers where the
    template has ``CreateContactRecord``. The rest is :class:`callhelm_threecx.pbx.engine.Engine`'s.
    """

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, object] | None = None,
        *,
        base: str | None = None,
        app: WsgiApp | None = None,
        extension: str = "100",
        agent: Agent | None = None,
        max_length: str | int = "",
        strict: bool = False,
        culture: str = "",
        zone: tzinfo = timezone.utc,
        version: int = 20,
        create_unknown: bool = True,
        time_limit: float = DEFAULT_TIME_LIMIT,
        empty_array_passes: bool = False,
        verify: bool = True,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.template = load_template(template)
        self.agent = agent or Agent(extension)
        self._setting = Setting(zone, culture_named(culture), version)
        self.engine = Engine(
            self.template,
            parameters,
            app=app,
            base=base,
            strict=strict,
            culture=self._setting.culture,
            max_length=max_length,
            time_limit=time_limit,
            empty_array_passes=empty_array_passes,
            verify=verify,
        )
        self._create_unknown = create_unknown
        self._clock = clock or (lambda: datetime.now(timezone.utc))
        self._last_start = datetime.min.replace(tzinfo=timezone.utc)
        self._gate = Lock()

    def __enter__(self) -> Pbx:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the server."""
        self.engine.close()

    # -- calls

    def ring(
        self,
        number: str,
        *,
        agent: Agent | None = None,
        queue: str = "",
        at: datetime | None = None,
    ) -> Call:
        """A call comes in: look the caller up. ``at`` is when it began; now when absent.

        Two calls of one Pbx never begin in the same second, because a server has nothing else to
        tell them apart by; with ``at`` that is the caller's business.
        """
        return self._begin(number, INBOUND, agent, queue, at)

    def dial(self, number: str, *, agent: Agent | None = None, at: datetime | None = None) -> Call:
        """An agent dials out: look the called party up."""
        return self._begin(number, OUTBOUND, agent, "", at)

    def hang_up(
        self,
        call: Call,
        *,
        answered: bool = True,
        talk: Seconds = 60.0,
        ringing: Seconds = 5.0,
        recording_url: str = "",
        transcription: str = "",
        summary: str = "",
        sentiment: str = "",
    ) -> Journal:
        """End a call and report it. ``talk`` and ``ringing`` are seconds; nothing waits for them.

        Raises :class:`ScenarioError` when the template has no ReportCall.
        """
        link = f'<a href="{recording_url}">{recording_url}</a>' if recording_url else ""
        variables = call_variables(
            call,
            answered=answered,
            ringing=_span(ringing),
            talk=_span(talk),
            intelligence={
                "RecordingUrl": recording_url,
                "RecordingHyperLink": link,
                "Transcription": transcription,
                "Summary": summary,
                "Sentiment": sentiment,
            },
            setting=self._setting,
        )
        return self._report("report_call", str(variables["CallType"]), variables)

    def report_again(self, journal: Journal) -> Journal:
        """Send the same report once more, as a PBX does that did not hear the answer."""
        kind: ScenarioKind = "report_chat" if journal.call_type == "Chat" else "report_call"
        return self._report(kind, journal.call_type, journal.variables)

    # -- everything else

    def search(self, text: str) -> Answer:
        """An agent types in the contact search: every ``SearchContacts…`` scenario runs."""
        inputs = {"SearchText": text, "EscapedSearchText": quote(text, safe="")}
        return self.engine.run(self.template.of_kind("search"), inputs, name_verdict)

    def lookup_email(self, email: str) -> Answer:
        """Name the party of a chat or an e-mail."""
        scenarios = self.template.of_kind("lookup_by_email")
        return self.engine.run(scenarios, {"Email": email}, person_verdict)

    def create_contact(
        self,
        *,
        first_name: str = "",
        last_name: str = "",
        number: str = "",
        email: str = "",
        company: str = "",
    ) -> Answer:
        """An agent presses "create contact" in the client."""
        inputs = {
            "FirstName": first_name,
            "LastName": last_name,
            "Number": self.engine.render(number),
            "Email": email,
            "Company": company,
        }
        scenarios = self.template.of_kind("create_contact_from_client")[:1]
        return self.engine.run(scenarios, inputs, person_verdict)

    def chat(
        self,
        messages: str | Iterable[str],
        *,
        number: str = "",
        email: str = "",
        name: str = "",
        contact: Contact | None = None,
        agent: Agent | None = None,
        queue: str = "",
        at: datetime | None = None,
        length: Seconds = 60.0,
    ) -> Journal:
        """A chat was dealt with: report it. ``contact`` is whom a lookup took the party for.

        Emojis go unless the template says ``SupportsEmojis="true"`` (3CX documentation).
        """
        text = messages if isinstance(messages, str) else "\n".join(messages)
        if (self.template.supports_emojis or "").lower() != "true":
            text = _without_emojis(text)
        variables = chat_variables(
            text,
            number=self.engine.render(number),
            email=email,
            name=name,
            contact=contact,
            agent=agent or self.agent,
            queue=queue,
            started=at or self._next_start(),
            length=_span(length),
            setting=self._setting,
        )
        return self._report("report_chat", "Chat", variables)

    def cfd_lookup(self, kind: str, value: str) -> Answer:
        """A call flow asks by ``number``, ``id`` or ``query``; it is handed ``answer.body``.

        Raises :class:`ScenarioError` for another kind and when the template has no such scenario.
        """
        wanted = _CFD.get(kind)
        if wanted is None:
            raise ScenarioError(f'A call flow asks by {", ".join(_CFD)}, not by "{kind}".')
        found = self.template.scenario(wanted)
        text = self.engine.render(value) if kind == "number" else value
        inputs = dict.fromkeys(CFD_ALIASES[wanted], text)
        return self.engine.run([found] if found else [], inputs)

    # -- inside

    def _begin(
        self, number: str, direction: str, agent: Agent | None, queue: str, at: datetime | None
    ) -> Call:
        searched = self.engine.render(number)
        inputs = {"Number": searched, "CallDirection": direction}
        verdict = caller_verdict(searched, verbatim=self.engine.strict)
        lookups = self.template.of_kind("lookup")
        answer = self.engine.run(lookups, inputs, verdict) if lookups else Answer()
        created = None
        if not answer.contacts and self._create_unknown and self.engine.has("create_contact"):
            creating = self.template.of_kind("create_contact")[:1]
            created = self.engine.run(creating, {**inputs, "Email": ""}, person_verdict)
        started = at or self._next_start()
        taker = agent or self.agent
        return Call(number, searched, direction, taker, queue, started, answer, created)

    def _report(self, kind: ScenarioKind, name: str, variables: Mapping[str, Value]) -> Journal:
        scenarios = self.template.of_kind(kind)[:1]
        return Journal(name, variables, self.engine.run(scenarios, variables))

    def _next_start(self) -> datetime:
        """Take the time, in whole seconds, and never the same one twice."""
        with self._gate:
            now = self._clock().replace(microsecond=0)
            self._last_start = max(now, self._last_start + timedelta(seconds=1))
            return self._last_start


def _span(length: Seconds) -> timedelta:
    return length if isinstance(length, timedelta) else timedelta(seconds=length)


def _without_emojis(text: str) -> str:
    return "".join(letter for letter in text if not _is_emoji(letter))


def _is_emoji(letter: str) -> bool:
    if letter in "\u200d\ufe0f":  # what joins and colours them
        return True
    code = ord(letter)
    pictured = 0x1F000 <= code <= 0x1FAFF or 0x2600 <= code <= 0x27BF
    return pictured and unicodedata.category(letter) in ("So", "Sk", "Cn")
