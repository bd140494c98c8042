"""Why an adoption is refused, in sentences that name organizations and never a key."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from callhelm_threecx.errors import ThreeCXError

LOCK_TIMEOUT_S: Final = 30


class SchemaRefusedError(ThreeCXError):
    """The database does not let the schema be changed; nothing was."""

    code = "schema_refused"


class AdoptionError(SchemaRefusedError):
    """The tables cannot be adopted as they are; nothing was changed.

    ``contradictions`` has a sentence for each reason, so that all can be mended at once.
    """

    code = "adoption_refused"

    def __init__(self, contradictions: Sequence[str]) -> None:
        self.contradictions = tuple(contradictions)
        listed = "".join(f"\n- {sentence}" for sentence in self.contradictions)
        super().__init__(
            f"The tables of the earlier integration cannot be adopted; nothing was changed.{listed}"
        )


@contextmanager
def translated_refusals() -> Iterator[None]:
    """Turn what PostgreSQL does not let a migration do into one sentence each.

    Surveys see nearly all of it in advance; what is left is told in the server's own words, which
    name tables and columns, never values.
    """
    try:
        yield
    except DBAPIError as ex:
        sentence = _sentence(ex.orig)
        if sentence is None:
            raise
        raise SchemaRefusedError(f"{sentence} Nothing was changed.") from ex


def _sentence(ex: BaseException | None) -> str | None:
    diagnosis: Any = getattr(ex, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or ""
    detail = getattr(diagnosis, "message_detail", None) or ""
    match getattr(ex, "sqlstate", None):
        case "42501":  # insufficient_privilege: also rows that policies would hide
            return (
                f"The database does not let this role do it: {said}. Upgrade as the owner of the"
                " tables, with a role that row-level security does not apply to."
            )
        case "0A000":  # feature_not_supported: the type of a column that something depends on
            return f"A column is held by something else: {said}. {detail}".rstrip()
        case "55P03":  # lock_not_available
            return (
                f"The tables were in use for {LOCK_TIMEOUT_S} seconds; stop what uses them, then"
                " try again."
            )
    return None
