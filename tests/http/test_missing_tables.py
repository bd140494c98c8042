"""A database to which nobody has brought the tables yet."""

from pathlib import Path

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
