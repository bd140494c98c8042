"""A commit whose answer is lost on the way was made all the same: the call is kept, once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.orm import Session

from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.fast_reads import FastReads, NotTakenError
from callhelm_threecx.models import CallRow, ChatRow
from callhelm_threecx.services.journal import Journal, Recorded
from tests.core.calls import CALL, CHAT, journal_events, kept


@pytest.fixture
def lose_an_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Breaks the connection behind the next commit, on whichever way it takes."""

    def lose() -> None:
        lost: list[bool] = []
        rows, write = FastReads.rows, Database.write

        def read(self: FastReads, *asked: Any) -> Any:
            found = rows(self, *asked)
            if found and not lost and "INSERT" in asked[0].sql:
                lost.append(True)
                raise NotTakenError
            return found

        @contextmanager
        def written(self: Database, organization_id: str) -> Iterator[Session]:
            with write(self, organization_id) as session:
                yield session
            if not lost:
                lost.append(True)
                raise StorageUnavailableError(passing=True)

        monkeypatch.setattr(FastReads, "rows", read)
        monkeypatch.setattr(Database, "write", written)

    return lose


@pytest.mark.parametrize("organization", ["acme", "auto"])
@pytest.mark.parametrize("kind", ["call", "chat"])
def test_a_report_whose_first_answer_is_lost_is_answered_as_a_repeated_one(
    database: Database,
    journal: Journal,
    lose_an_answer: Callable[[], None],
    request: pytest.FixtureRequest,
    *,
    organization: str,
    kind: str,
) -> None:
    integration = request.getfixturevalue(organization)
    lose_an_answer()
    record: Callable[..., Recorded] = getattr(journal, f"record_{kind}")
    recorded = record(integration, CALL if kind == "call" else CHAT)
    (row,) = kept(database, CallRow if kind == "call" else ChatRow)
    assert (str(row.id), recorded.duplicate) == (recorded.id, True)
    assert [event.status for event in journal_events(database)] == ["ok", "duplicate"]
