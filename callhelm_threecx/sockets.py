"""Looking at connections, and answering on them, without waiting for who is at the other end."""

import fcntl
import socket
import struct
import termios
from contextlib import suppress
from typing import Final

_MOST: Final = 16_384
"""Longest request, in bytes, that is looked at: a lookup has some hundred, a report a thousand."""

_UNREAD: Final = 16_384
"""Bytes of answers that a client may leave unread before nobody else waits for it."""

_UNSENT: Final = struct.Struct("i")


def waiting(client: socket.socket) -> bytes:
    """What a connection has to read, left where it is; nothing of what is too long."""
    try:
        data = client.recv(_MOST, socket.MSG_PEEK)
    except OSError:
        return b""
    return data if len(data) < _MOST else b""


def skip(client: socket.socket, length: int) -> None:
    """Read so many bytes that wait; who is gone is noticed by the next who writes."""
    with suppress(OSError):
        client.recv(length)


def reads_its_answers(client: socket.socket) -> bool:
    """Whether a client leaves no more unread than may be."""
    try:
        unsent = _UNSENT.unpack(fcntl.ioctl(client, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
    except OSError:
        return False
    return bool(unsent < _UNREAD)


def unsent(client: socket.socket, answer: bytes) -> bytes:
    """Send what there is room for, on a socket that does not block; what is left of the answer.

    Nothing is left for a client that is gone: the connection tells so to whoever reads from it
    next.
    """
    try:
        return _left(client, answer)
    except OSError:
        return b""


def is_sent(client: socket.socket, answer: bytes) -> bool:
    """Whether an answer was sent, on a socket that does not block; if not, the client is gone. It
    takes as long as the client likes."""
    try:
        rest = _left(client, answer)
        if rest:
            client.setblocking(True)
            client.sendall(rest)
            client.setblocking(False)
    except OSError:
        return False
    return True


def _left(client: socket.socket, answer: bytes) -> bytes:
    try:
        return answer[client.send(answer) :]
    except BlockingIOError:
        return answer
