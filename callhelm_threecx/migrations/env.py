"""How Alembic runs our migrations: on the connection, and in the transaction, that it is given."""

from alembic import context

from callhelm_threecx.models import metadata
from callhelm_threecx.schema_version import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
