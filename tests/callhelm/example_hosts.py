"""The example host of contrib, really served: gunicorn, PostgreSQL, cookies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contrib.callhelm_host import people
from contrib.callhelm_host.browser import Browser
from contrib.callhelm_host.stage import Stage, prepared, serving
from tests.client import SECRET_KEY
from tests.servers import PostgresSource

SESSION_KEY = "c2VhbHMgdGhlIGNvb2tpZXMgb2YgdGhlIHRlc3RzISE="


@contextmanager
def running(databases: PostgresSource, folder: Path, workers: int = 2) -> Iterator[Stage]:
    """The host on a new database, answering."""
    environ = {name: value for name, value in os.environ.items() if "THREECX" not in name}
    with databases.empty(folder) as url:
        environ |= {"THREECX_DATABASE_URL": url, "THREECX_SECRET_KEYS": SECRET_KEY}
        environ["CALLHELM_SESSION_KEY"] = SESSION_KEY
        with prepared(folder, 0, environ) as stage, serving(stage, folder, workers):
            yield stage


def member(organization: people.Organization, role: str) -> people.Member:
    """The first active member with a role."""
    members = (m for m in people.MEMBERS if m.organization == organization and m.role == role)
    return next(m for m in members if m.is_active)


@contextmanager
def signed_in(stage: Stage, user: people.User) -> Iterator[Browser]:
    """The browser of somebody who has signed in."""
    with Browser(stage.base_url) as browser:
        page = browser.sign_in(user.email, people.PASSWORD)
        assert page.status == 200, page.text
        yield browser
