"""A database to which nobody has brought the tables yet."""

from pathlib import Path

import psycopg

from tests import servers
from tests.client import Api


def test_a_database_without_tables_is_unavailable_and_the_answer_says_what_to_run(
    postgres_server: str, tmp_path: Path
) -> None:
    with servers.PostgresSource(postgres_server).empty(tmp_path) as url:
        api = Api.build(database_url=url)
        refused = api.get("/contacts/lookup?number=1234", key="3cx_" + "a" * 43, status=503)
        assert refused.headers["Retry-After"]
        assert refused.json["code"] == "storage_unavailable"
        assert "db upgrade" in refused.json["error"]
        api.close()


def test_a_database_that_takes_no_changes_is_unavailable_for_a_report(
    postgres_server: str, tmp_path: Path
) -> None:
    with servers.PostgresSource(postgres_server).fresh(tmp_path) as url:
        api = Api.build(database_url=url)
        key = api.key()
        with psycopg.connect(url, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(
                f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode()
            )
        api.app.services.database.dispose()
        report = {"CallType": "Inbound", "Number": "+4930123456"}
        refused = api.post("/calls/journal", report, key=key, status=503)
        assert refused.headers["Retry-After"]
        assert refused.json["code"] == "storage_unavailable"
        api.get("/contacts/lookup?number=1234", key=key)
        api.close()
