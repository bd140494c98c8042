"""What the rows share: sizes, databases that are filled once, and how servers are run."""

import contextlib
import json
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType

import dataset
import duel
import servers
from databases import create_database, database_of, postgres

from callhelm_threecx import schema_version


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    contacts: int = 1_000_000
    few_contacts: int = 10_000
    organizations: int = 10_000
    few_organizations: int = 10
    mixed_requests: int = 1_000_000
    warming_requests: int = 150_000
    starts: int = 9
    imported: int = 1_000_000
    import_rounds: int = 3
    searched: int = 1_000_000
    searches: int = 40
    search_rounds: int = 5
    pace: duel.Pace = field(default_factory=lambda: duel.Pace(rounds=9, seconds=5))


FULL = Size()
QUICK = Size(
    contacts=20_000,
    few_contacts=2_000,
    organizations=500,
    mixed_requests=5_000,
    warming_requests=8_000,
    starts=2,
    imported=10_000,
    import_rounds=1,
    searched=20_000,
    searches=20,
    search_rounds=3,
    pace=duel.Pace(rounds=3, seconds=1),
)


class Lab:
    """Databases on one PostgreSQL server and in files, each filled when a row first asks for it.

    With a folder they are kept there for the next run, else they are gone at the end. What requests
    left in the logs of a kept database is taken out, so that each run starts as the first one did.
    """

    def __init__(self, size: Size, kind: servers.Kind, folder: Path | None = None) -> None:
        self.size = size
        self.kind = kind
        self.pace = size.pace
        self._folder = folder
        self._running = contextlib.ExitStack()
        self._server: str | None = None
        self._filled: dict[str, dataset.Filled] = {}

    def __enter__(self) -> "Lab":
        temporary = tempfile.TemporaryDirectory(prefix="threecx-bench-")
        self.folder = self._folder or Path(self._running.enter_context(temporary))
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.__exit__(kind, error, trace)

    @property
    def server(self) -> str:
        """The URL of the PostgreSQL server, which starts with the first use."""
        if self._server is None:
            self._server = self._running.enter_context(postgres(self.folder / "postgres"))
        return self._server

    def on_postgres(self, contacts: int, organizations: int = 1) -> dataset.Filled:
        """A database with so many contacts in so many organizations."""
        name = f"bench_{contacts}_{organizations}_{schema_version.HEAD}"
        if name not in self._filled:
            kept = self._kept(name, database_of(self.server, name))
            self._filled[name] = kept or self._keep(
                name, dataset.fill(create_database(self.server, name), contacts, organizations)
            )
        return self._filled[name]

    def on_sqlite(self, contacts: int) -> dataset.Filled:
        """The same in a file."""
        name = f"sqlite_{contacts}_{schema_version.HEAD}"
        if name not in self._filled:
            folder = self.folder / name
            url = f"sqlite:///{folder / 'bench.db'}"
            kept = self._kept(name, url)
            if kept is None:
                folder.mkdir()
                kept = self._keep(name, dataset.fill(url, contacts))
            self._filled[name] = kept
        return self._filled[name]

    def _kept(self, name: str, url: str) -> dataset.Filled | None:
        path = self.folder / f"{name}.json"
        if not path.exists():
            return None
        dataset.empty_logs(url)
        fields = json.loads(path.read_text("utf-8"))
        return replace(dataset.Filled(**fields), url=url, api_keys=tuple(fields["api_keys"]))

    def _keep(self, name: str, filled: dataset.Filled) -> dataset.Filled:
        (self.folder / f"{name}.json").write_text(json.dumps(asdict(filled)), "utf-8")
        return filled
