"""The two kinds of secret: API keys that a PBX carries, and encryption keys that guard them.

An API key is ``3cx_`` and 256 random bits. The database holds a keyed fingerprint of it (to find
its organization) and an encrypted copy (a template must be able to show it again), never the key.
Encryption keys rotate: the first of the ring encrypts, every one of it decrypts.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from callhelm_threecx.errors import SettingsError, ThreeCXError

API_KEY_PREFIX = "3cx_"
_API_KEY = re.compile(r"3cx_[A-Za-z0-9_-]{43}", re.ASCII)
_FINGERPRINT_CONTEXT = b"callhelm-threecx api key fingerprint v1"


class UndecipherableError(ThreeCXError):
    """None of the ring's keys decrypts this, or it was encrypted for another organization."""

    code = "undecipherable_key"


def generate_api_key() -> str:
    """A new organization key: ``3cx_`` and 43 URL-safe characters (256 random bits)."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def is_well_formed(api_key: str) -> bool:
    """Whether a text has the shape of a generated organization key."""
    return _API_KEY.fullmatch(api_key) is not None


def key_hint(api_key: str) -> str:
    """What may be shown of a key so that a person recognises it: its last four characters."""
    return f"{API_KEY_PREFIX}…{api_key[-4:]}"


def generate_secret_key() -> str:
    """A new encryption key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def check_secret_key(text: str) -> None:
    """Raise `ValueError` unless the text is 32 bytes in URL-safe base64."""
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise ValueError("holds a key that is not 32 bytes in URL-safe base64 (see keygen)")


class KeyRing:
    """Encrypts, decrypts and fingerprints API keys with the configured encryption keys."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        if not secret_keys:
            raise SettingsError("THREECX_SECRET_KEYS: no key is given.")
        self._fernet = MultiFernet([Fernet(key) for key in secret_keys])
        self._fingerprint_keys = [
            hmac.digest(base64.urlsafe_b64decode(key), _FINGERPRINT_CONTEXT, hashlib.sha256)
            for key in secret_keys
        ]

    def fingerprint(self, api_key: str) -> str:
        """The fingerprint under the ring's first key: 64 hexadecimal characters."""
        return self.fingerprints(api_key)[0]

    def fingerprints(self, api_key: str) -> list[str]:
        """The fingerprints under every key of the ring, the first key's first.

        A row that was written before a rotation is found by one of the later ones.
        """
        text = api_key.encode("utf-8", "surrogatepass")
        return [hmac.digest(key, text, "sha256").hex() for key in self._fingerprint_keys]

    def encrypt(self, api_key: str, organization_id: str) -> str:
        """Encrypt a key for one organization (authenticated; the organization is sealed in)."""
        return self._fernet.encrypt(f"{organization_id}\0{api_key}".encode()).decode()

    def decrypt(self, token: str, organization_id: str) -> str:
        """The clear key again. Raises `UndecipherableError`, also for another organization's."""
        try:
            owner, _, api_key = self._fernet.decrypt(token.encode()).decode().partition("\0")
        except (InvalidToken, UnicodeDecodeError):
            raise UndecipherableError(
                "The stored key cannot be decrypted with the configured secret keys."
            ) from None
        if owner != organization_id:
            raise UndecipherableError("The stored key was encrypted for another organization.")
        return api_key

    def seal(self, text: str, purpose: str) -> str:
        """Encrypt and sign a text for one purpose, with the time: what a browser keeps for us.

        A purpose has a space in it, as no organization's id has: so what `encrypt` made is never
        taken for it.
        """
        return self._fernet.encrypt(f"{purpose}\0{text}".encode()).decode()

    def unseal(self, token: str, purpose: str, *, ttl_s: int) -> str | None:
        """The text again; None when it is older than ``ttl_s`` seconds, was sealed for another
        purpose or by somebody else."""
        try:
            sealed = self._fernet.decrypt(token.encode("utf-8", "replace"), ttl=ttl_s).decode()
        except (InvalidToken, UnicodeDecodeError):
            return None
        found, _, text = sealed.partition("\0")
        return text if found == purpose else None


def same(one: str, other: str) -> bool:
    """Compare two secrets in constant time, whatever their lengths and characters."""
    return hmac.compare_digest(digest(one), digest(other))


def digest(text: str) -> bytes:
    """What a process may keep in memory in place of a key that it saw."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def key_file_of(database: Path) -> Path:
    """Where the encryption keys of a SQLite database are kept: beside it."""
    return database.with_name(database.name + ".keys")


def load_or_create_key_file(path: Path) -> list[str]:
    """Read the key file, one key a line; create it, readable by its owner only, when absent.

    Two processes that start at once agree on one key: the file appears whole or not at all.
    Raises `SettingsError` when it cannot be read, written or understood.
    """
    try:
        if not path.exists():
            _create_key_file(path)
        keys = path.read_text(encoding="ascii").split()
        for key in keys:
            check_secret_key(key)
    except OSError as ex:
        raise SettingsError(f"THREECX_SECRET_KEYS: the key file {path}: {ex.strerror}.") from ex
    except ValueError as ex:
        raise SettingsError(f"THREECX_SECRET_KEYS: the key file {path} {ex}.") from ex
    if not keys:
        raise SettingsError(f"THREECX_SECRET_KEYS: the key file {path} is empty.")
    return keys


def _create_key_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(generate_secret_key() + "\n")
            file.flush()
            os.fsync(file.fileno())  # what it encrypts is durable, so it must be
        os.link(name, path)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        Path(name).unlink()
