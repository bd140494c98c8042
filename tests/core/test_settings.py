"""Every setting: what it takes, and the one line that names it when it is wrong."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from callhelm_threecx.errors import SettingsError
from callhelm_threecx.settings import ENV_PREFIX, Settings

# Fixed, so that every process of a run gives the tests the same names; each has a - or _ in it.
KEY = "upSNkoTq4HylYRCE_jJAQ04PcvpSpsVaAzCzfsZLxog="
OTHER_KEY = "YqJoWqXl6OYCer948m73ssGNRVOJ3KHTpJGNTG7H_88="

GOOD: dict[str, list[tuple[str, Any]]] = {
    "database_url": [
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ("postgresql://user:pass@host:5432/name", "postgresql://user:pass@host:5432/name"),
        ("postgres://host/name?sslmode=require", "postgres://host/name?sslmode=require"),
        ("postgresql+psycopg2://host/name", "postgresql+psycopg2://host/name"),
    ],
    "secret_keys": [
        ("", ()),
        (KEY, (SecretStr(KEY),)),
        (f" {KEY} , {OTHER_KEY},", (SecretStr(KEY), SecretStr(OTHER_KEY))),
    ],
    "admin_key": [("", None), ("  ", None), ("12345678", SecretStr("12345678"))],
    "public_url": [
        ("", None),
        ("https://crm.example.com", "https://crm.example.com"),
        ("https://crm.example.com/base/", "https://crm.example.com/base"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
    "trusted_proxies": [
        ("", ()),
        ("10.0.0.1", (ip_network("10.0.0.1/32"),)),
        ("10.0.0.7/8, ::1", (ip_network("10.0.0.0/8"), ip_network("::1/128"))),
    ],
    "contact_url": [
        ("", None),
        ("https://crm.example.com/c/{id}", "https://crm.example.com/c/{id}"),
        ("/c/{id}?tab=calls", "/c/{id}?tab=calls"),
    ],
    "identity": [("", None), (" ", None), (" crm ", "crm")],
    "contact_store": [("memory", "memory")],
    "contact_store_options": [("{}", {}), ('{"path": "x", "n": [1]}', {"path": "x", "n": [1]})],
    "rate_limit": [("5/second", "5/second"), ("10 per 2 hours", "10 per 2 hours")],
    "failed_auth_limit": [("5/second", "5/second")],
    "rate_limit_storage": [
        ("memory://", "memory://"),
        ("redis://user:pass@host:6379/1", "redis://user:pass@host:6379/1"),
        ("rediss://host", "rediss://host"),
    ],
    "default_region": [("DE", "DE"), (" de ", "DE")],
    "event_retention": [
        ("forever", "forever"),
        ("", "forever"),
        (" 12W , setup = forever,lookup=30d,", "84d,lookup=30d,setup=forever"),
        ("lookup=1d", "forever,lookup=1d"),
    ],
    "log_level": [("debug", "DEBUG"), ("ERROR", "ERROR")],
    "log_format": [("text", "text")],
    "max_body": [("1024", 1024), ("67108864", 67108864)],
    "prefix": [("", ""), ("/", ""), ("/crm/3cx/", "/crm/3cx"), ("/a-b_c.d~1", "/a-b_c.d~1")],
}

BAD: dict[str, list[str]] = {
    "database_url": [
        *("", "x", "sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://host/name"),
        *("sqlite:///file::memory:?uri=true", "sqlite:///file:x?mode=memory&uri=true"),
        *("postgresql://host:port/name", "https://host/name", "oracle+oracledb://host"),
    ],
    "secret_keys": ["x", f"{KEY},short", KEY[:-4], f"{KEY}\u00e4", KEY[:-1] + "*", f"{KEY} {KEY}"],
    "admin_key": ["1234567"],
    "public_url": [
        *("crm.example.com", "ftp://crm.example.com", "https://", "https:///path", "//host"),
        *("https://user@host", "https://:pass@host", "https://host?x=1", "https://host#top"),
        *("http://[::1", "https://host:99999", "https://host:port", "https://a b", "https://a\nb"),
    ],
    "trusted_proxies": ["proxy.example.com", "10.0.0.1/33", "10.0.0.1,x", "*"],
    "contact_url": ["https://crm.example.com/c", "crm/{id}", "javascript:alert({id})"],
    "contact_store_options": ["", "x", "[]", "7", '{"a":'],
    "rate_limit": ["", "x", "600", "600/fortnight", "-5/minute", "0/minute"],
    "failed_auth_limit": ["fast", "60/minute;1/second", "60/minute, 1/second"],
    "rate_limit_storage": ["", "memory", "memcached://host", "http://host"],
    "default_region": ["", "Germany", "XX", "D", "001"],
    "event_retention": [
        *("90", "-1d", "0d", "1y", "36501d", "for ever", "90d,30d", "lookup=", "=30d x"),
        *("lookup=1d,lookup=2d", "Look Up=1d", "lookup=setup=1d", "1.5d", "\u0661d"),
    ],
    "log_level": ["", "TRACE", "20"],
    "log_format": ["", "JSON", "xml"],
    "max_body": ["", "x", "1023", "67108865", "1.5", "-1"],
    "prefix": ["api", "/a//b", "/a b", "/{x}", "/a?b", "/a#b", "/\u00e4", "/a\n"],
}


def rows(table: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(name, row) for name, several in table.items() for row in several]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{ENV_PREFIX}{name.upper()}", raising=False)


def test_every_setting_has_a_row_and_a_description() -> None:
    assert set(GOOD) == set(Settings.model_fields)
    assert set(BAD) == set(Settings.model_fields) - {"contact_store", "identity"}
    assert all(field.description for field in Settings.model_fields.values())


def test_without_any_setting_there_are_defaults() -> None:
    settings = Settings.load()
    assert settings.sqlite_path == Path("callhelm-threecx.db")
    assert (settings.rate_limit, settings.default_region) == ("600/minute", "US")
    assert (settings.prefix, settings.contact_store) == ("/api/3cx", "sql")
    assert (settings.max_body, settings.log_level) == (1024 * 1024, "INFO")
    assert (settings.admin_key, settings.public_url, settings.secret_keys) == (None, None, ())


@pytest.mark.parametrize(("name", "row"), rows(GOOD))
def test_a_setting_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, row: tuple[str, Any]
) -> None:
    monkeypatch.setenv(f"{ENV_PREFIX}{name.upper()}", row[0])
    assert getattr(Settings.load(), name) == row[1]


@pytest.mark.parametrize(("name", "text"), rows(BAD))
def test_a_wrong_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    variable = f"{ENV_PREFIX}{name.upper()}"
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    message = caught.value.message
    assert message.startswith(f"{variable}: ")
    assert "\n" not in message
    assert message.endswith(".")
    assert KEY not in message


@pytest.mark.parametrize(
    "secret", ["postgresql://user:hunter2@host:port/name", "mysql://user:hunter2@host/name"]
)
def test_no_password_is_in_the_message(secret: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(database_url=secret)
    assert "hunter2" not in str(caught.value)


def test_an_argument_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREECX_DEFAULT_REGION", "FR")
    assert Settings.load(default_region="de").default_region == "DE"
    monkeypatch.setenv("THREECX_DEFAULT_REGION", "nowhere")
    assert Settings.load(default_region="DE").default_region == "DE"


def test_arguments_may_be_python_values() -> None:
    settings = Settings.load(
        secret_keys=[KEY, SecretStr(OTHER_KEY)],
        trusted_proxies=[ip_network("10.0.0.0/8"), "::1"],
        contact_store_options={"path": "x"},
    )
    assert [key.get_secret_value() for key in settings.secret_keys] == [KEY, OTHER_KEY]
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert Settings.load(secret_keys=None, trusted_proxies=None).secret_keys == ()
    assert Settings.load(secret_keys=SecretStr(KEY)).secret_keys == (SecretStr(KEY),)


def test_an_argument_that_is_no_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^THREECX_COLOUR: there is no such setting"):
        Settings.load(colour="red")


def test_settings_survive_a_copy_by_their_values() -> None:
    """As `create_app(settings, **overrides)` makes one."""
    settings = Settings.load(secret_keys=KEY, trusted_proxies="10.0.0.0/8", admin_key="12345678")
    again = Settings.load(**{**settings.model_dump(), "default_region": "FR"})
    assert again.secret_keys == settings.secret_keys
    assert again.trusted_proxies == settings.trusted_proxies
    assert again.admin_key == settings.admin_key


def test_settings_show_no_secret() -> None:
    settings = Settings.load(
        database_url="postgresql://user:hunter2@host/name",
        secret_keys=KEY,
        admin_key="admin-secret",
        contact_store_options={"token": "hunter2"},
        rate_limit_storage="redis://:hunter2@host",
    )
    shown = f"{settings!r} {settings}"
    assert not any(secret in shown for secret in ("hunter2", KEY, "admin-secret"))


@pytest.mark.parametrize(
    ("url", "driver", "path"),
    [
        ("sqlite:///x.db", "sqlite+pysqlite", Path("x.db")),
        ("sqlite+pysqlite:////a/x.db", "sqlite+pysqlite", Path("/a/x.db")),
        ("postgresql://host/name", "postgresql+psycopg", None),
        ("postgres://host/name", "postgresql+psycopg", None),
        ("postgresql+asyncpg://host/name", "postgresql+psycopg", None),
    ],
)
def test_a_database_url_names_our_driver(url: str, driver: str, path: Path | None) -> None:
    settings = Settings.load(database_url=url)
    assert settings.database.drivername == driver
    assert settings.sqlite_path == path
