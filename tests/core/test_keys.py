"""API keys, encryption keys, and the file that holds them."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx import keys
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.keys import KeyRing, UndecipherableError, generate_secret_key

OLD, NEW, STRANGE = (generate_secret_key() for _ in range(3))
THREADS = 8


def test_an_api_key_is_256_random_bits_behind_a_prefix() -> None:
    made = {keys.generate_api_key() for _ in range(100)}
    assert len(made) == 100
    for key in made:
        assert key.startswith("3cx_")
        assert len(base64.urlsafe_b64decode(key[4:] + "=")) == 32
        assert keys.is_well_formed(key)


@pytest.mark.parametrize(
    "text", ["", "3cx_", "3cx_short", "4cx_" + "a" * 43, "3cx_" + "a" * 44, "3cx_" + "\u00e4" * 43]
)
def test_another_text_is_not_well_formed(text: str) -> None:
    assert not keys.is_well_formed(text)
    assert not keys.is_well_formed("3cx_" + "a" * 43 + "\n")


def test_a_hint_shows_the_last_four_characters_only() -> None:
    assert keys.key_hint("3cx_" + "a" * 39 + "WXYZ") == "3cx_\u2026WXYZ"


@given(st.binary(min_size=32, max_size=32))
def test_any_32_bytes_are_a_secret_key(raw: bytes) -> None:
    keys.check_secret_key(base64.urlsafe_b64encode(raw).decode())


@given(st.binary().filter(lambda raw: len(raw) != 32) | st.text())
def test_nothing_else_is_a_secret_key(raw: bytes | str) -> None:
    text = raw if isinstance(raw, str) else base64.urlsafe_b64encode(raw).decode()
    with pytest.raises(ValueError, match="32 bytes"):
        keys.check_secret_key(text)


def test_an_encrypted_key_is_shown_again_to_its_organization_only() -> None:
    ring = KeyRing([OLD])
    token = ring.encrypt("3cx_key", "acme")
    assert "3cx_key" not in token
    assert token != ring.encrypt("3cx_key", "acme")
    assert ring.decrypt(token, "acme") == "3cx_key"
    with pytest.raises(UndecipherableError, match="another organization"):
        ring.decrypt(token, "other")


def test_the_first_key_encrypts_and_every_key_decrypts() -> None:
    old, both = KeyRing([OLD]), KeyRing([NEW, OLD])
    assert both.decrypt(old.encrypt("3cx_key", "acme"), "acme") == "3cx_key"
    fresh = both.encrypt("3cx_key", "acme")
    assert KeyRing([NEW]).decrypt(fresh, "acme") == "3cx_key"
    with pytest.raises(UndecipherableError):
        old.decrypt(fresh, "acme")


@pytest.mark.parametrize("token", ["", "x", "\u00e4", "gAAAA", "="])
def test_what_no_key_decrypts_is_undecipherable(token: str) -> None:
    with pytest.raises(UndecipherableError):
        KeyRing([OLD]).decrypt(token, "acme")
    with pytest.raises(UndecipherableError):
        KeyRing([STRANGE]).decrypt(KeyRing([OLD]).encrypt("3cx_key", "acme"), "acme")


def test_a_tampered_token_is_undecipherable() -> None:
    ring = KeyRing([OLD])
    token = ring.encrypt("3cx_key", "acme")
    middle = len(token) // 2
    swapped = "A" if token[middle] != "A" else "B"
    with pytest.raises(UndecipherableError):
        ring.decrypt(token[:middle] + swapped + token[middle + 1 :], "acme")


def test_a_fingerprint_depends_on_the_key_and_the_secret() -> None:
    ring = KeyRing([OLD])
    assert len(ring.fingerprint("3cx_key")) == 64
    assert ring.fingerprint("3cx_key") == KeyRing([OLD, NEW]).fingerprint("3cx_key")
    assert ring.fingerprint("3cx_key") != ring.fingerprint("3cx_kez")
    assert ring.fingerprint("3cx_key") != KeyRing([NEW]).fingerprint("3cx_key")


def test_a_rotated_ring_knows_old_fingerprints_too() -> None:
    old, both = KeyRing([OLD]), KeyRing([NEW, OLD])
    assert both.fingerprints("3cx_key") == [
        KeyRing([NEW]).fingerprint("3cx_key"),
        old.fingerprint("3cx_key"),
    ]


def test_any_text_has_a_fingerprint() -> None:
    ring = KeyRing([OLD])
    texts = ["", "\x00", "\ud800", "\N{PILE OF POO}", "x" * 100_000]
    assert len({ring.fingerprint(text) for text in texts}) == len(texts)


def test_a_ring_needs_a_key() -> None:
    with pytest.raises(SettingsError, match="THREECX_SECRET_KEYS"):
        KeyRing([])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "aa", False),
        ("", "", True),
        ("\ud800", "", False),
    ],
)
def test_secrets_are_compared_whatever_their_characters(one: str, other: str, same: bool) -> None:
    assert keys.same(one, other) is same


# The key file


def test_the_key_file_lies_beside_the_database(tmp_path: Path) -> None:
    assert keys.key_file_of(tmp_path / "x.db") == tmp_path / "x.db.keys"


def test_a_new_key_file_holds_one_key_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.db.keys"
    created = keys.load_or_create_key_file(path)
    assert len(created) == 1
    keys.check_secret_key(created[0])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.load_or_create_key_file(path) == created
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_key_file_may_hold_several_keys(tmp_path: Path) -> None:
    path = tmp_path / "x.db.keys"
    path.write_text(f"{NEW}\n\n{OLD}\n")
    assert keys.load_or_create_key_file(path) == [NEW, OLD]


def test_starts_at_the_same_time_agree_on_one_key(tmp_path: Path) -> None:
    for attempt in range(10):
        path = tmp_path / f"{attempt}.keys"
        barrier = Barrier(THREADS)

        def start(path: Path = path, barrier: Barrier = barrier) -> list[str]:
            barrier.wait(30)
            return keys.load_or_create_key_file(path)

        with ThreadPoolExecutor(THREADS) as pool:
            seen = [future.result() for future in [pool.submit(start) for _ in range(THREADS)]]
        assert seen == [seen[0]] * THREADS
    assert len(list(tmp_path.iterdir())) == 10


def broken_key_file(kind: str, folder: Path) -> Path:
    path = folder / "x.keys"
    if kind == "empty":
        path.write_text("\n")
    elif kind == "not a key":
        path.write_text(f"{OLD}\nshort\n")
    elif kind == "not text":
        path.write_bytes(b"\xff\xfe")
    elif kind == "a folder":
        path.mkdir()
    elif kind == "in a file":
        (folder / "file").write_text("")
        path = folder / "file" / "x.keys"
    else:
        path.symlink_to(folder / "nowhere" / "x.keys")
    return path


@pytest.mark.parametrize(
    "kind", ["empty", "not a key", "not text", "a folder", "in a file", "a dangling link"]
)
def test_a_broken_key_file_stops_the_start_with_one_line(kind: str, tmp_path: Path) -> None:
    path = broken_key_file(kind, tmp_path)
    with pytest.raises(SettingsError) as caught:
        keys.load_or_create_key_file(path)
    assert caught.value.message.startswith(f"THREECX_SECRET_KEYS: the key file {path}")
    assert "\n" not in caught.value.message
    assert OLD not in caught.value.message
