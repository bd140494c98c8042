"""Files that a command writes: whole or not at all, and readable by their owner only."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from callhelm_threecx.errors import ThreeCXError


class FileError(ThreeCXError):
    """A file that was named cannot be read or written."""

    code = "file_error"


@contextmanager
def writing(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """A text file that takes the place of ``path`` when the block ends well.

    Its mode is 0600: names, numbers and keys are in it. A device or a pipe is written as it is.
    Raises `FileError`.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("w", encoding=encoding, newline="") as file:
                yield file
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding=encoding, newline="") as file:
                yield file
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as ex:
        raise FileError(f"{path}: {ex.strerror or ex}.") from ex


def write_text(path: Path, text: str) -> None:
    """Write a whole text. Raises `FileError`."""
    with writing(path) as file:
        file.write(text)
