"""Passwords, as scrypt keeps them: slow to guess, each with a salt of its own."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

COST: Final = 2**14
BLOCK_SIZE: Final = 8
PARALLELISM: Final = 1
_SALT_BYTES: Final = 16


def seal(password: str) -> str:
    """What is stored of a password: ``scrypt$cost$block size$parallelism$salt$hash``.

    The parameters stand in it, so that they can be raised without a word to anybody.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _digest(password, salt, COST, BLOCK_SIZE, PARALLELISM)
    parameters = f"{COST}${BLOCK_SIZE}${PARALLELISM}"
    return f"scrypt${parameters}${_text(salt)}${_text(digest)}"


def is_right(password: str, sealed: str) -> bool:
    """Whether this is the password. Raises `ValueError` for what `seal` did not make."""
    _, cost, block_size, parallelism, salt, digest = sealed.split("$")
    given = _digest(password, _raw(salt), int(cost), int(block_size), int(parallelism))
    return hmac.compare_digest(given, _raw(digest))


def _digest(password: str, salt: bytes, cost: int, block_size: int, parallelism: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")  # a form may carry anything
    return hashlib.scrypt(secret, salt=salt, n=cost, r=block_size, p=parallelism)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text)
