"""The composition root: settings in, a Falcon app out. The one place where things meet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import falcon
from falcon.media import JSONHandler

from callhelm_threecx import keys, routes, schema_version
from callhelm_threecx.console import site
from callhelm_threecx.console.agents import AgentParts
from callhelm_threecx.console.contacts import ContactParts
from callhelm_threecx.console.desk import Desk
from callhelm_threecx.db import Database
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.identity import IdentityHook
from callhelm_threecx.limiter import Limiter, limit_of
from callhelm_threecx.middleware.auth import Admission, KeyAuth, check_declaration
from callhelm_threecx.middleware.client import Client
from callhelm_threecx.middleware.context import RequestContext
from callhelm_threecx.middleware.rate_limit import RateLimit
from callhelm_threecx.middleware.sign_in import SignIn, hook_of
from callhelm_threecx.resources.admin import AgentResource, AgentsResource, SetupResource
from callhelm_threecx.resources.contacts import CreateResource, LookupResource, SearchResource
from callhelm_threecx.resources.errors import ErrorAnswers, to_json
from callhelm_threecx.resources.events import EventsResource, StatsResource
from callhelm_threecx.resources.health import HealthResource, ReadyResource
from callhelm_threecx.resources.journal import CallsResource, ChatsResource
from callhelm_threecx.resources.reading import BodyReader
from callhelm_threecx.resources.reporting import ShortJournal
from callhelm_threecx.resources.ringing import ShortLookup
from callhelm_threecx.resources.short_way import Gate, ShortWay
from callhelm_threecx.resources.template import TemplateResource
from callhelm_threecx.services.agents import Agents
from callhelm_threecx.services.console_sessions import ConsoleSessions
from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.services.contact_names import ContactNames
from callhelm_threecx.services.contacts import Contacts
from callhelm_threecx.services.conversations import Conversations
from callhelm_threecx.services.directory import Directory
from callhelm_threecx.services.event_writer import EventWriter
from callhelm_threecx.services.events import EventLog
from callhelm_threecx.services.extensions import Extensions
from callhelm_threecx.services.integrations import Integrations
from callhelm_threecx.services.journal import Journal
from callhelm_threecx.services.overview import Overview
from callhelm_threecx.services.purge import Purge
from callhelm_threecx.services.readiness import Readiness
from callhelm_threecx.services.retention import RetentionRules
from callhelm_threecx.settings import Settings
from callhelm_threecx.stores import registry
from callhelm_threecx.stores.base import ContactStore, StoreOptions
from callhelm_threecx.stores.sql import SqlContactStore


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the product does, ready for use: by the HTTP interface or by a command."""

    settings: Settings
    database: Database
    store: ContactStore
    integrations: Integrations
    agents: Agents
    contacts: Contacts
    contact_imports: ContactImports
    journal: Journal
    events: EventLog
    retention: RetentionRules
    purge: Purge
    writer: EventWriter
    limiter: Limiter
    ring: keys.KeyRing

    @property
    def looks_up_in_time(self) -> bool:
        """Whether a lookup gives up when patience is over (see `patience`): what another store
        waits for is not known, nor what one made from ours does besides."""
        return bool(vars(type(self.store)).get("heeds_patience", False))

    def close(self) -> None:
        """End imports behind their batches, write the events that wait, close the connections."""
        self.contact_imports.close()
        self.writer.close()
        self.integrations.close()
        self.database.dispose()


class ThreeCXApp(falcon.App[falcon.Request, falcon.Response]):
    """The WSGI application, with the services behind it."""

    services: Services
    short_ways: Mapping[str, ShortWay]
    """By path."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer by a short way where one is open, else through the framework."""
        short_way = self.short_ways.get(environ["PATH_INFO"])
        answer = short_way(environ, start_response) if short_way is not None else None
        return answer if answer is not None else super().__call__(environ, start_response)


def build_services(settings: Settings, *, store: ContactStore | None = None) -> Services:
    """Construct everything from the settings. A SQLite schema is brought up to date; nothing
    connects to any other database yet.

    Raises `SettingsError` that names the setting at fault.
    """
    database = open_database(settings)
    try:
        ring = open_key_ring(settings)
        if database.dialect == "sqlite" and not schema_version.is_complete(database):
            from callhelm_threecx import migrate  # Alembic, which most starts do without

            migrate.upgrade(database)
        if store is None:
            options = StoreOptions(settings.contact_store_options, database=database)
            store = registry.load(settings.contact_store, options)
        limiter = Limiter(settings.rate_limit_storage)
        retention = RetentionRules(database, settings.event_retention)
    except BaseException:
        database.dispose()
        raise
    writer = EventWriter(database)
    return Services(
        settings=settings,
        database=database,
        store=store,
        integrations=Integrations(database, ring, settings.default_region),
        agents=Agents(database),
        contacts=Contacts(store, database, writer.emit, settings.contact_url),
        contact_imports=ContactImports(database, store),
        journal=Journal(database, store),
        events=EventLog(database, settings.default_region),
        retention=retention,
        purge=Purge(database),
        writer=writer,
        limiter=limiter,
        ring=ring,
    )


def create_app(
    settings: Settings | None = None,
    *,
    store: ContactStore | None = None,
    identity: IdentityHook | str | None = None,
    **overrides: Any,
) -> ThreeCXApp:
    """Build the WSGI application.

    Without ``settings`` they are read from the environment; ``overrides`` are single settings by
    name (``database_url="sqlite:///calls.db"``). ``store`` is used in place of the configured
    contact store, and ``identity`` in place of the configured identity hook: a callable that tells
    who is signed in to the host, or the name of an installed one. Raises `SettingsError` that names
    the setting at fault.
    """
    if isinstance(identity, str):
        overrides["identity"], identity = identity, None
    if settings is None:
        settings = Settings.load(**overrides)
    elif overrides:
        settings = Settings.load(**{**settings.model_dump(), **overrides})
    services = build_services(settings, store=store)
    try:
        return build_app(services, identity=identity)
    except BaseException:
        services.close()
        raise


def build_app(services: Services, *, identity: IdentityHook | None = None) -> ThreeCXApp:
    """The HTTP interface in front of the services, and behind the host's sign-in: the given
    identity hook, else the one that the settings name.

    Raises `SettingsError` for a hook that cannot be had.
    """
    settings = services.settings
    sign_in = SignIn(hook_of(settings, identity))
    client = Client(settings.public_url, settings.trusted_proxies)
    admin_key = settings.admin_key.get_secret_value() if settings.admin_key else None
    emit = services.writer.emit
    failed = limit_of(settings.failed_auth_limit)
    limit = limit_of(settings.rate_limit)
    app = ThreeCXApp(
        middleware=[
            RequestContext(
                client,
                settings.max_body,
                uploads=f"{settings.prefix}{site.PATH}/",
                max_upload=site.MAX_UPLOAD,
            ),
            KeyAuth(
                services.integrations, admin_key, services.limiter, failed, emit, sign_in=sign_in
            ),
            RateLimit(services.limiter, limit),
            Admission(client),
        ],
    )
    app.services = services
    gate = Gate(services.integrations, services.limiter, limit, client)
    app.short_ways = {
        settings.prefix + routes.CONTACTS_LOOKUP: ShortLookup(gate, services.contacts),
        settings.prefix + routes.CALLS_JOURNAL: ShortJournal(
            gate, services.journal, settings.max_body
        ),
    }
    app.req_options.strip_url_path_trailing_slash = True
    app.resp_options.xml_error_serialization = False
    app.resp_options.media_handlers[falcon.MEDIA_JSON] = JSONHandler(dumps=to_json)
    desk = _desk(services, client, sign_in)
    ErrorAnswers(settings.prefix, emit, partial(site.show_error, desk)).register(app)
    keeps_calls = isinstance(services.store, SqlContactStore)
    database = services.database
    console = site.pages(
        site.Parts(
            desk=desk,
            integrations=services.integrations,
            agents=AgentParts(services.agents, Extensions(services.database), services.store),
            directory=Directory(services.database, settings.default_region),
            overview=Overview(services.database, services.events),
            events=services.events,
            limiter=services.limiter,
            failed_auth_limit=failed,
            admin_key=admin_key,
            emit=emit,
            flush=services.writer.flush,
            conversations=(
                Conversations(database, settings.default_region) if keeps_calls else None
            ),
            contact_names=ContactNames(database) if keeps_calls else None,
            contacts=ContactParts.of(services.store, services.contact_imports, emit),
            prefix=settings.prefix,
            contact_url=settings.contact_url,
            has_public_url=settings.public_url is not None,
            app=app,
        )
    )
    pages = [(site.PATH + path, page) for path, page in console]
    for path, resource in (*_resources(services, client), *pages):
        check_declaration(resource)
        app.add_route(settings.prefix + path, resource)
    return app


def _desk(services: Services, client: Client, sign_in: SignIn) -> Desk:
    """The gate of the console."""
    return Desk(
        base=services.settings.prefix + site.PATH,
        client=client,
        ring=services.ring,
        sessions=ConsoleSessions(services.database, services.ring),
        integrations=services.integrations,
        sign_in=sign_in,
        sections=site.sections(with_contacts=isinstance(services.store, SqlContactStore)),
    )


def _resources(services: Services, client: Client) -> Sequence[tuple[str, object]]:
    prefix, contacts, journal = services.settings.prefix, services.contacts, services.journal
    integrations, agents, events = services.integrations, services.agents, services.events
    flush: Callable[[float], object] = services.writer.flush
    body = BodyReader(services.settings.max_body)
    emit = services.writer.emit
    readiness = Readiness(services.database, services.store)
    return [
        (routes.CONTACTS_LOOKUP, LookupResource(contacts, client)),
        (routes.CONTACTS_SEARCH, SearchResource(contacts, client)),
        (routes.CONTACTS_CREATE, CreateResource(contacts, client, body)),
        (routes.CALLS_JOURNAL, CallsResource(journal, body)),
        (routes.CHATS_JOURNAL, ChatsResource(journal, body)),
        (routes.TEMPLATE, TemplateResource(client, prefix, emit)),
        (routes.SETUP, SetupResource(integrations, client, body, prefix)),
        (routes.AGENTS, AgentsResource(agents, body)),
        (routes.AGENT, AgentResource(agents)),
        (routes.EVENTS, EventsResource(events, flush)),
        (routes.STATS, StatsResource(events, flush)),
        (routes.HEALTHZ, HealthResource()),
        (routes.READYZ, ReadyResource(readiness, services.limiter)),
    ]


def open_database(settings: Settings) -> Database:
    """The database of the settings; a SQLite file, and its folder, are created when absent, the
    file for its owner only: contacts and calls are in it."""
    path = settings.sqlite_path
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as ex:
            raise SettingsError(f"THREECX_DATABASE_URL: {path}: {ex.strerror}.") from ex
    return Database(settings.database)


def open_key_ring(settings: Settings) -> keys.KeyRing:
    """The encryption keys of the settings, or those in the key file beside a SQLite database.

    Raises `SettingsError` when there are none and the database is another one.
    """
    if settings.secret_keys:
        return keys.KeyRing([key.get_secret_value() for key in settings.secret_keys])
    path = settings.sqlite_path
    if path is None:
        raise SettingsError(
            "THREECX_SECRET_KEYS: is not set; with this database it must be (see keygen)."
        )
    return keys.KeyRing(keys.load_or_create_key_file(keys.key_file_of(path)))
