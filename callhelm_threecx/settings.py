"""The settings: one typed object, read once from the environment or from arguments, passed down."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from callhelm_threecx import contact_links, phone, retention, routes
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.keys import check_secret_key

ENV_PREFIX = "THREECX_"
MAX_KEY = 512
"""Longest key that a request may show, in characters."""
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f]")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


def database_url(text: str) -> URL:
    """The SQLAlchemy URL of a database setting: SQLite in a file, or PostgreSQL through psycopg 3.

    Raises `ValueError` with a plain sentence for anything else.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise ValueError("is not a database URL such as postgresql://user@host/name") from None
    backend = url.drivername.split("+")[0]
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(f"names {backend!r}; SQLite and PostgreSQL are supported")
    if url.database in {None, "", ":memory:"} or url.query:  # a query can ask for memory, too
        raise ValueError("names no SQLite file, such as sqlite:///callhelm-threecx.db")
    return url.set(drivername="sqlite+pysqlite")


class Settings(BaseSettings):
    """Everything that can be set, with its default and what it means.

    Each field is read from the environment variable of its name in capitals behind ``THREECX_``;
    arguments of `create_app` override it.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, extra="forbid", frozen=True, validate_default=True
    )

    database_url: str = Field(
        "sqlite:///callhelm-threecx.db",
        repr=False,
        description="The database: a SQLite file, or `postgresql://…` (through psycopg 3).",
    )
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Comma-separated encryption keys as `keygen` prints them; the first encrypts, "
        "all decrypt. With SQLite, created in a key file beside the database when absent.",
    )
    admin_key: SecretStr | None = Field(
        None, description="The key for set-up. Without it, the admin endpoints stay shut."
    )
    public_url: str | None = Field(
        None,
        description="What the PBX calls, and the base of contact URLs, without the prefix. "
        "Without it, the request's own base.",
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Comma-separated addresses or networks whose forwarded headers are believed.",
    )
    contact_url: str | None = Field(
        None,
        description="The page that a screen pop opens, e.g. "
        "`https://crm.example.com/contacts/{id}`; an organization may have its own. Default: "
        "`/contacts/{id}` below the base.",
    )
    identity: str | None = Field(
        None,
        description="Entry-point name of the identity hook that tells who is signed in to the "
        "host. Without it, only keys open anything.",
    )
    contact_store: str = Field("sql", description="Entry-point name of the contact store.")
    contact_store_options: dict[str, Any] = Field(
        default_factory=dict, repr=False, description="Options of the contact store, as JSON."
    )
    rate_limit: str = Field(
        "600/minute", description="Requests allowed for each key and each signed-in user."
    )
    failed_auth_limit: str = Field(
        "60/minute", description="Failed authentications allowed for each client address."
    )
    rate_limit_storage: str = Field(
        "memory://",
        repr=False,
        description="Where limits are counted: `memory://` (each process) or `redis://…` (shared).",
    )
    default_region: str = Field(
        "US", description="Region (ISO 3166) in which national numbers are read by default."
    )
    event_retention: str = Field(
        "365d,setup=forever",
        description="How long `events purge` leaves events of each type (`90d`, `12w`, `forever`); "
        "an organization may have its own.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe level that is logged; DEBUG shows whole numbers."
    )
    log_format: Literal["json", "text"] = Field("json", description="Shape of a log line.")
    max_body: int = Field(
        1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="Largest accepted body in bytes."
    )
    prefix: str = Field(routes.DEFAULT_PREFIX, description="Path below which everything is served.")

    @classmethod
    def load(cls, **overrides: Any) -> "Settings":
        """Read the environment, overridden by arguments.

        Raises `SettingsError` whose message is one line that names the first setting at fault.
        """
        try:
            return cls(**overrides)
        except ValidationError as ex:
            raise SettingsError(_first_fault(ex)) from None
        except UnreadableError as ex:  # JSON is read before fields are validated
            name = next((name for name in cls.model_fields if f'"{name}"' in str(ex)), "")
            raise SettingsError(f"{ENV_PREFIX}{name.upper()}: is not JSON.") from None

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        database_url(value)
        return value

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _split_secret_keys(cls, value: object) -> object:
        keys = _split(value)
        for key in keys:
            check_secret_key(key.get_secret_value() if isinstance(key, SecretStr) else str(key))
        return tuple(keys)

    @field_validator("admin_key", mode="after")
    @classmethod
    def _check_admin_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value().strip():
            return None
        if len(value.get_secret_value()) < 8:
            raise ValueError("is shorter than 8 characters")
        if len(value.get_secret_value()) > MAX_KEY:
            raise ValueError(f"is longer than {MAX_KEY} characters")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _parse_networks(cls, value: object) -> object:
        return tuple(ip_network(str(item), strict=False) for item in _split(value))

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if not value:
            return None
        try:
            parts = urlsplit(value)
            is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # brackets of no IPv6 address, a port that is none
            is_url = False
        if not is_url or _NOT_IN_URL.search(value):
            raise ValueError("is not a URL such as https://crm.example.com")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must not carry a query, a fragment or a user name")
        return value.rstrip("/")

    @field_validator("identity")
    @classmethod
    def _check_identity(cls, value: str | None) -> str | None:
        return value.strip() or None if value is not None else None

    @field_validator("contact_url")
    @classmethod
    def _check_contact_url(cls, value: str | None) -> str | None:
        if not value:
            return None
        contact_links.check_pattern(value)
        return value

    @field_validator("rate_limit", "failed_auth_limit")
    @classmethod
    def _check_limit(cls, value: str) -> str:
        try:
            limits = parse_many(value)
        except ValueError:
            limits = []
        if len(limits) != 1 or limits[0].amount < 1:
            raise ValueError("is not a limit such as 600/minute")
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _check_limit_storage(cls, value: str) -> str:
        scheme = urlsplit(value).scheme
        if scheme not in {"memory", "redis", "rediss"}:
            raise ValueError("is neither memory:// nor redis://…")
        return value

    @field_validator("default_region", mode="before")
    @classmethod
    def _check_region(cls, value: object) -> str:
        region = str(value).strip().upper()
        if not phone.is_region(region):
            raise ValueError(f"{region!r} is not a two-letter region such as US or DE")
        return region

    @field_validator("event_retention")
    @classmethod
    def _check_event_retention(cls, value: str) -> str:
        return str(retention.Retention.parse(value))

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("prefix")
    @classmethod
    def _check_prefix(cls, value: str) -> str:
        value = value.rstrip("/")
        if not _PREFIX.fullmatch(value):
            raise ValueError("is not a path such as /api/3cx")
        return value

    @property
    def database(self) -> URL:
        """The database as a SQLAlchemy URL."""
        return database_url(self.database_url)

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file, or None with another database."""
        url = self.database
        return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def _split(value: object) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value) if isinstance(value, (list, tuple, set)) else [value]


def _first_fault(ex: ValidationError) -> str:
    fault = ex.errors(include_url=False, include_context=False, include_input=False)[0]
    name = f"{ENV_PREFIX}{str(fault['loc'][0]).upper()}" if fault["loc"] else ENV_PREFIX
    if fault["type"] == "extra_forbidden":
        return f"{name}: there is no such setting."
    message = str(fault["msg"]).removeprefix("Value error, ").replace("\n", " ")
    return f"{name}: {message}."
