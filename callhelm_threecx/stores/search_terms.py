"""The words of a query as a trigram index is asked for them."""

from typing import Final

ESCAPE: Final = "\\"
LONGEST_PHRASE: Final = 64
"""Of a longer word an index sees the beginning; all of it is compared with the text."""

_BEFORE_AT: Final = 9
_AFTER_AT: Final = 5


def pattern(term: str) -> str:
    """A LIKE pattern for texts with the term, in which every character means itself."""
    for sign in (ESCAPE, "%", "_"):
        term = term.replace(sign, ESCAPE + sign)
    return f"%{term}%"


def telling_part(term: str) -> str:
    """The part of a term by which an index finds it. Of an e-mail address that is where the name
    ends and the host begins: of the many trigrams of the rest most are everybody's (``.com``), and
    an index has to go through the list of each."""
    name, at, host = term.partition("@")
    if not (name and host):
        return term[:LONGEST_PHRASE]
    return name[-_BEFORE_AT:] + at + host[:_AFTER_AT]
