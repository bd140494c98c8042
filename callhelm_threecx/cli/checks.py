"""The checks of ``doctor``: each looks at one thing and changes nothing."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import text

from callhelm_threecx import keys, schema_version
from callhelm_threecx.app import open_key_ring
from callhelm_threecx.db import Database
from callhelm_threecx.errors import SettingsError, ThreeCXError
from callhelm_threecx.limiter import Limiter
from callhelm_threecx.migrations import search_index
from callhelm_threecx.models import metadata
from callhelm_threecx.services.integrations import Integrations
from callhelm_threecx.settings import Settings
from callhelm_threecx.stores import registry
from callhelm_threecx.stores.base import ContactStore, StoreOptions

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Verdict(str, Enum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it."""

    check: str
    verdict: Verdict
    message: str
    todo: str = ""


def run() -> list[Finding]:
    """Every check that the settings allow, in the order in which to mend things."""
    try:
        settings = Settings.load()
    except SettingsError as ex:
        return [Finding("settings", Verdict.FAIL, ex.message)]
    findings = [Finding("settings", Verdict.OK, "every setting can be read.")]
    database = Database(settings.database)
    try:
        findings.extend(_database(settings, database))
    finally:
        database.dispose()
    findings.extend(_admin_key(settings))
    findings.extend(_rate_limits(settings))
    findings.extend(_public_url(settings))
    return findings


def _database(settings: Settings, database: Database) -> Iterator[Finding]:
    where = settings.database.render_as_string(hide_password=True)
    path = settings.sqlite_path
    if path is not None and not path.exists():
        yield Finding(
            "database", Verdict.WARN, f"{path} is not there yet.", "The first start creates it."
        )
        yield from _without_database(settings)
        return
    try:
        database.ping()
    except ThreeCXError as ex:
        todo = "Check THREECX_DATABASE_URL, and whether the server runs and lets you in."
        yield Finding("database", Verdict.FAIL, f"{where}: {ex.message}", todo)
        return
    yield Finding("database", Verdict.OK, f"{where} answers.")
    if path is not None:
        yield from _file_modes(path)
    if database.dialect == "postgresql":
        yield from _row_security(database)
    is_current = False
    for finding in _migrations(database):
        is_current = finding.verdict is Verdict.OK
        yield finding
    if database.dialect == "postgresql":
        yield from _trigrams(database)
    elif is_current:
        yield from _search_index(database)
    if is_current:
        yield from _secret_keys(settings, database)
        yield from _contact_store(settings, database)


def _without_database(settings: Settings) -> Iterator[Finding]:
    names = registry.installed()
    if settings.contact_store not in names:
        todo = f"Installed: {', '.join(sorted(names)) or 'none'}."
        message = f"THREECX_CONTACT_STORE: there is no store {settings.contact_store!r}."
        yield Finding("contact store", Verdict.FAIL, message, todo)


def _migrations(database: Database) -> Iterator[Finding]:
    current, head = schema_version.current(database), schema_version.HEAD
    if current == head:
        yield Finding("migrations", Verdict.OK, f"the schema is at {head}.")
        return
    message = f"the schema is {f'at {current}' if current else 'empty'}, not at {head}."
    if database.dialect == "sqlite":
        yield Finding("migrations", Verdict.WARN, message, "The next start brings it up to date.")
    else:
        yield Finding("migrations", Verdict.FAIL, message, "Run callhelm-threecx db upgrade.")


def _search_index(database: Database) -> Iterator[Finding]:
    with database.read_all_organizations() as session:
        names = set(session.execute(text("SELECT name FROM sqlite_master")).scalars())
    if names >= search_index.PARTS:
        yield Finding("search index", Verdict.OK, "FTS5 trigrams are there.")
    else:
        todo = "With SQLite 3.34 or later, built with FTS5, the next start makes it."
        message = "there is none: a search reads all contacts of its organization."
        yield Finding("search index", Verdict.WARN, message, todo)


def _trigrams(database: Database) -> Iterator[Finding]:
    with database.read_all_organizations() as session:
        installed = session.execute(
            text("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
        ).scalar_one()
    if installed:
        yield Finding("search index", Verdict.OK, "pg_trgm is installed.")
    else:
        todo = "As a superuser: CREATE EXTENSION pg_trgm; searches are slow without it."
        yield Finding("search index", Verdict.WARN, "pg_trgm is not installed.", todo)


def _row_security(database: Database) -> Iterator[Finding]:
    """Whether policies hide rows of ours from the role that we connect as; of that the tables
    themselves say nothing, they only look empty."""
    hidden = text(
        "SELECT c.relname FROM pg_class c WHERE row_security_active(c.oid)"
        " AND c.oid IN (SELECT to_regclass(t) FROM unnest(CAST(:names AS text[])) t) ORDER BY 1"
    )
    names = [*metadata.tables, schema_version.VERSION_TABLE]
    with database.read_all_organizations() as session:
        found = session.execute(hidden, {"names": names}).scalars().all()
    if found:
        todo = "Connect as the owner of the tables or as a role with BYPASSRLS."
        message = f"row-level security hides rows from this role: {', '.join(found)}."
        yield Finding("row-level security", Verdict.WARN, message, todo)


def _file_modes(path: Path) -> Iterator[Finding]:
    key_file = keys.key_file_of(path)
    if key_file.exists() and _mode(key_file) & _OTHERS:
        todo = f"chmod 600 {key_file}"
        message = f"others may read {key_file}: every organization's key opens with it."
        yield Finding("file permissions", Verdict.FAIL, message, todo)
    elif _mode(path) & stat.S_IRWXO:
        message = f"every user of this machine may read {path}: names and numbers are in it."
        yield Finding("file permissions", Verdict.WARN, message, f"chmod o-rwx {path}")
    else:
        yield Finding("file permissions", Verdict.OK, "files are closed to others.")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _secret_keys(settings: Settings, database: Database) -> Iterator[Finding]:
    path = settings.sqlite_path
    if not settings.secret_keys and path is not None and not keys.key_file_of(path).exists():
        todo = "The next start makes one; organization keys that are there need the old one back."
        message = f"{keys.key_file_of(path)} is not there."
        yield Finding("secret keys", Verdict.WARN, message, todo)
        return
    try:
        ring = open_key_ring(settings)
    except SettingsError as ex:
        yield Finding("secret keys", Verdict.FAIL, ex.message, "Make one with keygen.")
        return
    integrations = Integrations(database, ring, settings.default_region)
    lost = _undecipherable(integrations)
    if lost:
        todo = "Bring the secret key that they were made under back, or give them new ones."
        shown = ", ".join(lost[:5]) + (" …" if len(lost) > 5 else "")
        message = f"the keys of {len(lost)} organizations cannot be decrypted: {shown}."
        yield Finding("secret keys", Verdict.FAIL, message, todo)
    else:
        yield Finding("secret keys", Verdict.OK, "every stored key can be decrypted.")


def _undecipherable(integrations: Integrations) -> list[str]:
    lost = []
    for integration in integrations.all():
        try:
            integrations.clear_key(integration.organization_id)
        except keys.UndecipherableError:  # noqa: PERF203 - each key fails by itself
            lost.append(integration.organization_id)
    return lost


def _contact_store(settings: Settings, database: Database) -> Iterator[Finding]:
    name = settings.contact_store
    options = StoreOptions(settings.contact_store_options, database=database)
    todo = "Check THREECX_CONTACT_STORE and THREECX_CONTACT_STORE_OPTIONS."
    try:
        store = registry.load(name, options)
        store.health()
    except ThreeCXError as ex:
        yield Finding("contact store", Verdict.FAIL, ex.message, todo)
        return
    if name == "memory":
        message = "memory forgets every contact at the end, and each process has its own."
        yield Finding("contact store", Verdict.WARN, message, "Use it for trials only.")
    else:
        yield Finding("contact store", Verdict.OK, f"{name} answers.")
    yield from _host(store, database)


def _host(store: ContactStore, database: Database) -> Iterator[Finding]:
    from callhelm_threecx.cli import host_checks
    from callhelm_threecx.stores.callhelm import CallHelmStore

    if isinstance(store, CallHelmStore):
        yield from host_checks.findings(store, database)


def _admin_key(settings: Settings) -> Iterator[Finding]:
    if settings.admin_key is None:
        todo = "Set THREECX_ADMIN_KEY to use /setup, /agents and the log over HTTP."
        message = "THREECX_ADMIN_KEY is not set; the admin endpoints stay shut."
        yield Finding("admin key", Verdict.WARN, message, todo)
    elif len(settings.admin_key.get_secret_value()) < 20:
        todo = "Take 20 characters or more; keygen prints good ones."
        yield Finding("admin key", Verdict.WARN, "THREECX_ADMIN_KEY is short.", todo)
    else:
        yield Finding("admin key", Verdict.OK, "is set.")


def _rate_limits(settings: Settings) -> Iterator[Finding]:
    try:
        limiter = Limiter(settings.rate_limit_storage)
    except SettingsError as ex:
        yield Finding("rate limits", Verdict.FAIL, ex.message)
        return
    if settings.rate_limit_storage.startswith("memory:"):
        message = f"{settings.rate_limit} for each key, counted by each process for itself."
        todo = "With several workers or machines, let them count together: redis://…"
        yield Finding("rate limits", Verdict.OK, message, todo)
    elif limiter.healthy():
        message = f"{settings.rate_limit} for each key, counted in Redis."
        yield Finding("rate limits", Verdict.OK, message)
    else:
        message = "the storage does not answer; each process counts for itself."
        yield Finding("rate limits", Verdict.FAIL, message, "Check THREECX_RATE_LIMIT_STORAGE.")


def _public_url(settings: Settings) -> Iterator[Finding]:
    url = settings.public_url
    if url is None:
        todo = "Set it to what the PBX calls, such as https://crm.example.com."
        message = "THREECX_PUBLIC_URL is not set; templates name whatever address asked for them."
        yield Finding("public URL", Verdict.WARN, message, todo)
        return
    parts = urlsplit(url)
    if _is_local(parts.hostname or ""):
        todo = "Name the address by which the PBX reaches this server."
        yield Finding("public URL", Verdict.FAIL, f"{url} is this machine itself.", todo)
    elif parts.scheme != "https":
        todo = "Put a proxy that speaks https in front."
        message = f"{url} is not https: keys, names and numbers travel in clear text."
        yield Finding("public URL", Verdict.WARN, message, todo)
    else:
        yield Finding("public URL", Verdict.OK, url)


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
