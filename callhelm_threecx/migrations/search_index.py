"""The search index of the ``sql`` store on SQLite: trigrams in an FTS5 table, kept by triggers.

Three tables of its own stand beside ``three_cx_contacts``, whose implicit rowids cannot be used:
VACUUM numbers them anew.

- ``three_cx_search_organizations`` gives each organization a number;
- ``three_cx_search_rows`` gives each contact a label, an integer that sorts as contacts are shown:
  the later active, the greater. Its upper bits are the organization's (the last eleven bits of its
  number), its lower 52 bits the microsecond of the last activity. A contact that finds its label
  taken gets the next one that is free. Beside it stands the text to search, so that whatever must
  be read from end to end is read in order;
- ``three_cx_search_words`` holds the trigrams of that text, with their positions, and no text.

So a search walks the contacts of one organization alone, the most recently active first, and stops
at its limit (see ``stores.sql_search``).

A migration that builds ``three_cx_contacts`` anew (Alembic's batch mode does) loses the triggers:
it calls `drop` before and `create` after.
"""

# ruff: noqa: S608 - statements are put together from constants of this module alone

from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

ORGANIZATIONS: Final = "three_cx_search_organizations"
ROWS: Final = "three_cx_search_rows"
WORDS: Final = "three_cx_search_words"
TRIGGERS: Final = (
    "three_cx_search_inserted",
    "three_cx_search_updated",
    "three_cx_search_deleted",
)
PARTS: Final = frozenset({ORGANIZATIONS, ROWS, WORDS, *TRIGGERS})
"""What ``sqlite_master`` names in a database that has the index."""

TIME_BITS: Final = 52  # microseconds since 1970: enough until 2112
SLOTS: Final = 2048  # of labels; more organizations share them
_LATEST: Final = 2**TIME_BITS - 2**32  # above it there is room for labels that were taken
_NEAR: Final = 2**20  # a label that is taken is sought within a second of the right one

_SCHEMA: Final = (
    f"""CREATE TABLE {ORGANIZATIONS} (
        number INTEGER NOT NULL PRIMARY KEY,
        organization_id TEXT NOT NULL UNIQUE)""",
    f"""CREATE TABLE {ROWS} (
        label INTEGER NOT NULL PRIMARY KEY,
        contact_id TEXT NOT NULL UNIQUE,
        organization_id TEXT NOT NULL,
        words TEXT NOT NULL)""",
    f"""CREATE VIRTUAL TABLE {WORDS} USING fts5 (
        words, content='{ROWS}', content_rowid='label',
        columnsize=0, tokenize='trigram case_sensitive 1')""",
)


def _label(number: str, instant: str) -> str:
    """SQL for the label that a contact of an organization should have.

    SQLite rounds an instant to milliseconds, the last half of a second's last one into the next
    second: it is asked for the seconds of a text that has no fraction.
    """
    microseconds = (
        f"coalesce(strftime('%s', substr({instant}, 1, 19)) * 1000000"
        f" + CAST(substr({instant}, 21, 6) AS INTEGER), 0)"
    )
    bounded = f"max(0, min({microseconds}, {_LATEST}))"
    return f"(({number} % {SLOTS}) << {TIME_BITS}) + {bounded}"


def _free(label: str) -> str:
    """SQL for a label that is free: this one, else one above it and near, else the slot's last."""
    slot_end = f"((({label}) >> {TIME_BITS}) + 1) << {TIME_BITS}"
    return f"""CASE
        WHEN NOT EXISTS (SELECT 1 FROM {ROWS} WHERE label = {label}) THEN {label}
        WHEN NOT EXISTS (SELECT 1 FROM {ROWS} WHERE label = {label} + {_NEAR})
        THEN (SELECT max(label) + 1 FROM {ROWS}
              WHERE label BETWEEN {label} AND {label} + {_NEAR})
        ELSE (SELECT max(label) + 1 FROM {ROWS} WHERE label >= {label} AND label < {slot_end})
    END"""


_ADD: Final = f"""
    INSERT INTO {ORGANIZATIONS} (organization_id) SELECT NEW.organization_id
        WHERE NOT EXISTS (SELECT 1 FROM {ORGANIZATIONS}
                          WHERE organization_id = NEW.organization_id);
    INSERT INTO {ROWS} (label, contact_id, organization_id, words)
        SELECT {_free("wanted")}, NEW.id, NEW.organization_id, NEW.search_text FROM (
            SELECT {_label("number", "NEW.last_active_at")} AS wanted FROM {ORGANIZATIONS}
            WHERE organization_id = NEW.organization_id);
    INSERT INTO {WORDS} (rowid, words) SELECT label, words FROM {ROWS} WHERE contact_id = NEW.id;
"""
_REMOVE: Final = f"""
    INSERT INTO {WORDS} ({WORDS}, rowid, words)
        SELECT 'delete', label, words FROM {ROWS} WHERE contact_id = OLD.id;
    DELETE FROM {ROWS} WHERE contact_id = OLD.id;
"""
_TRIGGERS: Final = (
    f"CREATE TRIGGER {TRIGGERS[0]} AFTER INSERT ON three_cx_contacts BEGIN {_ADD} END",
    f"""CREATE TRIGGER {TRIGGERS[1]}
        AFTER UPDATE OF id, organization_id, search_text, last_active_at ON three_cx_contacts
        WHEN (OLD.id, OLD.organization_id, OLD.search_text, OLD.last_active_at)
             IS NOT (NEW.id, NEW.organization_id, NEW.search_text, NEW.last_active_at)
        BEGIN {_REMOVE} {_ADD} END""",
    f"CREATE TRIGGER {TRIGGERS[2]} AFTER DELETE ON three_cx_contacts BEGIN {_REMOVE} END",
)

_FILL_ORGANIZATIONS: Final = f"""
    INSERT INTO {ORGANIZATIONS} (organization_id)
    SELECT DISTINCT organization_id FROM three_cx_contacts ORDER BY 1
"""
# Each label is greater than the one before: its own microsecond or, where that is taken, the next.
_FILL_ROWS: Final = f"""
    INSERT INTO {ROWS} (label, contact_id, organization_id, words)
    SELECT max(wanted - position) OVER (PARTITION BY slot ORDER BY position) + position,
           id, organization_id, search_text
    FROM (SELECT *, row_number() OVER (PARTITION BY slot ORDER BY wanted, id) AS position
          FROM (SELECT id, organization_id, search_text, number % {SLOTS} AS slot,
                       {_label("number", "last_active_at")} AS wanted
                FROM three_cx_contacts JOIN {ORGANIZATIONS} USING (organization_id)))
"""
_FILL_WORDS: Final = f"INSERT INTO {WORDS} ({WORDS}) VALUES ('rebuild')"


def is_supported(connection: Connection) -> bool:
    """Whether this SQLite has FTS5 and its trigram tokenizer (3.34 and later, if built so)."""
    try:
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE temp.three_cx_probe USING fts5 (x, tokenize='trigram')"
        )
    except DBAPIError:
        return False
    connection.exec_driver_sql("DROP TABLE temp.three_cx_probe")
    return True


def is_complete(connection: Connection) -> bool:
    """Whether the index is there, with the triggers that keep it."""
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars()
    return set(names) >= PARTS


def create(connection: Connection) -> None:
    """Build the index of the contacts that are there, and the triggers that keep it."""
    for statement in (*_SCHEMA, _FILL_ORGANIZATIONS, _FILL_ROWS, _FILL_WORDS, *_TRIGGERS):
        connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Take the index away, as far as it is there."""
    for trigger in TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger}")
    for table in (WORDS, ROWS, ORGANIZATIONS):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
