"""The twin's tables, beside the product's and with the same contacts."""

import hashlib

import dataset
import psycopg
import twin_models
from sqlmodel import create_engine

from callhelm_threecx.settings import database_url

# As the twin's models have them; the tables of its contacts are indexed when they are full.
TABLES = (
    """
    CREATE TABLE twinintegration (organization_id varchar PRIMARY KEY,
        key_hash varchar NOT NULL UNIQUE, enabled boolean NOT NULL)
    """,
    """
    CREATE TABLE twincontact AS
    SELECT c.id, c.organization_id::varchar, first_name::varchar, last_name::varchar,
        company::varchar, email::varchar, p.number::varchar AS phone_business,
        NULL::varchar AS phone_business2, NULL::varchar AS phone_mobile,
        NULL::varchar AS phone_mobile2, NULL::varchar AS phone_home, NULL::varchar AS phone_other,
        NULL::varchar AS fax_business
    FROM three_cx_contacts AS c JOIN three_cx_contact_phones AS p ON p.contact_id = c.id
    """,
    "ALTER TABLE twincontact ADD PRIMARY KEY (id)",
)
INDEXED = (
    *("organization_id", "phone_business", "phone_business2", "phone_mobile", "phone_mobile2"),
    *("phone_home", "phone_other", "fax_business"),
)


def prepare(filled: dataset.Filled) -> None:
    """Make the tables, unless they are there."""
    with psycopg.connect(filled.url) as connection:
        if connection.execute("SELECT to_regclass('twincontact')").fetchone() != (None,):
            return
        for statement in TABLES:
            connection.execute(statement.encode())
        for column in INDEXED:
            connection.execute(f"CREATE INDEX ON twincontact ({column})".encode())
        rows = [
            (dataset.organization(index), hashlib.sha256(key.encode()).hexdigest())
            for index, key in enumerate(filled.api_keys)
        ]
        connection.cursor().executemany("INSERT INTO twinintegration VALUES (%s, %s, true)", rows)
    engine = create_engine(database_url(filled.url))
    twin_models.SQLModel.metadata.create_all(engine)  # the tables that start empty
    engine.dispose()
    with psycopg.connect(filled.url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE twincontact, twinintegration")
