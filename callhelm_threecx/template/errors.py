"""The exceptions of the template package."""

from __future__ import annotations


class TemplateError(Exception):
    """A template that cannot be read, or a model that cannot be written.

    `code` is a stable slug such as `not_well_formed`; `line` and `column` count from 1 and are 0
    where no place is known; `message` is one plain sentence for the person who edits the file.
    """

    def __init__(self, code: str, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if not self.line:
            return self.message
        return f"line {self.line}, column {self.column}: {self.message}"
