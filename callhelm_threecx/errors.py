"""What can go wrong, in the product's own words.

Every error carries the three things that an answer needs: an HTTP status, a stable ``code`` in
snake case and one plain sentence. Nothing in here knows Falcon; ``resources.errors`` turns these
into answers, the command line turns them into a line and an exit status.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault in one named field of the input."""

    field: str
    message: str


class ThreeCXError(Exception):
    """The root of every error that this package raises on purpose."""

    status: ClassVar[int] = 500
    code: str = "internal_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class SettingsError(ThreeCXError):
    """A setting is missing or wrong; the message names it and fits on one line."""

    code = "bad_setting"


class BadInputError(ThreeCXError):
    """The request cannot be understood; ``errors`` names the fields at fault."""

    status = 400
    code = "bad_input"

    def __init__(
        self, message: str, *, code: str | None = None, errors: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(message, code=code)
        self.errors = tuple(errors)

    @classmethod
    def of_field(cls, field: str, message: str) -> "BadInputError":
        """One fault in one field; the sentence repeats its name."""
        return cls(f"{field}: {message}", errors=[FieldError(field, message)])


class UnauthorizedError(ThreeCXError):
    """No key, or one that opens nothing. The wording never says which."""

    status = 401
    code = "unauthorized"


class ForbiddenError(ThreeCXError):
    """A valid key, but not for this."""

    status = 403
    code = "forbidden"


class NotFoundError(ThreeCXError):
    """What was named does not exist for this caller."""

    status = 404
    code = "not_found"


class TooLargeError(ThreeCXError):
    """The body is over the limit and was not read."""

    status = 413
    code = "body_too_large"


class UnsupportedMediaError(ThreeCXError):
    """The body is not JSON."""

    status = 415
    code = "unsupported_media_type"


class RateLimitedError(ThreeCXError):
    """Too many requests: ``limit`` are allowed, again in ``retry_after`` seconds."""

    status = 429
    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int, limit: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.limit = limit


class StorageUnavailableError(ThreeCXError):
    """The database (or a contact store's backend) does not answer.

    ``passing`` says that one more try is worth it: a pooled connection turned out to be dead, say.
    """

    status = 503
    code = "storage_unavailable"
    retry_after: ClassVar[int] = 5

    def __init__(
        self, message: str = "The storage does not answer.", *, passing: bool = False
    ) -> None:
        super().__init__(message)
        self.passing = passing


class DeadlockError(StorageUnavailableError):
    """Transactions waited for each other, and this one was ended: it has changed nothing."""

    def __init__(self) -> None:
        super().__init__("The database is too busy to answer.", passing=True)


@contextmanager
def collecting(message: str) -> Iterator[list[FieldError]]:
    """Collect field errors over a block and raise them together as one `BadInputError`."""
    errors: list[FieldError] = []
    yield errors
    if errors:
        raise BadInputError(f"{message} {errors[0].field}: {errors[0].message}", errors=errors)
