"""Messages and transcripts as a conversation: who said what.

3CX hands a chat over as one text, and so does speech recognition; neither documents how the text is
built. A line that begins with a name and a colon (before it perhaps a time) begins a turn, any
other goes on with the one before. A text whose first line has no name stays one piece.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TURN: Final = re.compile(
    r"\s*(?:\[?(?P<time>(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?[ T])?"
    r"\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?)\]?(?: ?[-,])? {0,4})?"
    r"(?P<speaker>[^\s:\[\]][^:\n]{0,79}):(?:\s+(?P<said>.*))?",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said at once; ``time`` and ``speaker`` as they were written, or empty."""

    speaker: str
    said: str
    time: str = ""


def turns(text: str) -> Sequence[Turn]:
    """The turns of a conversation, in order; a text that is none as a single turn of nobody."""
    found: list[tuple[str, str, list[str]]] = []
    for line in text.splitlines():
        match = _TURN.fullmatch(line)
        if match is not None and (found or not line.isspace()):
            said = match["said"] or ""
            found.append((match["speaker"].strip(), match["time"] or "", [said]))
        elif found:
            found[-1][2].append(line)
        elif line.strip():
            return [Turn("", text.strip())]
    return [Turn(who, "\n".join(lines).strip(), time) for who, time, lines in found]
