"""The store ``callhelm`` keeps the contract of every store, with its indexes and without them."""

from collections.abc import Iterator

import pytest

from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.callhelm import CallHelmStore
from callhelm_threecx.stores.callhelm.prepare import run, survey
from callhelm_threecx.testing import ContactStoreContract
from tests.callhelm.hosts import Host, new_host
from tests.servers import PostgresSource


@pytest.fixture(scope="module")
def unprepared(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture(scope="module")
def prepared(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        statements = survey(host.database, host.store.schema).building
        assert list(run(host.database, statements)) == statements
        host.own.execute(f"ALTER DATABASE {host.own.info.dbname} SET enable_seqscan = off")
        host.database.dispose()  # the indexes are used, although the tables are small
        yield host


class HostContract(ContactStoreContract):
    """The contract in a host's database, which must know an organization first."""

    host: Host

    def new_organization(self, region: str) -> Organization:
        return self.host.organization(region)


class TestUnprepared(HostContract):
    """By reading all contacts of an organization."""

    @pytest.fixture(autouse=True)
    def store(self, unprepared: Host) -> CallHelmStore:
        self.host = unprepared
        return unprepared.store


class TestPrepared(HostContract):
    """By the indexes that `callhelm-threecx callhelm prepare` builds."""

    @pytest.fixture(autouse=True)
    def store(self, prepared: Host) -> CallHelmStore:
        self.host = prepared
        return prepared.store
