"""What the other side of a connection has not taken, and how long the kernel waits for it."""

from __future__ import annotations

import fcntl
import socket
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


def bound_silence(transport: asyncio.Transport, seconds: float) -> None:
    """Let the kernel end a connection whose other side takes nothing for so long.

    Under TLS nothing else tells: what is encrypted counts as written.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))


def unread_of(transport: asyncio.Transport) -> int:
    """Return how much the client has not taken: ours, and what the kernel holds for it.

    The kernel holds megabytes, and asks for more only when a third of them is gone.
    """
    sock = transport.get_extra_info("socket")
    waiting = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)) if sock else bytes(4)
    return transport.get_write_buffer_size() + int.from_bytes(waiting, sys.byteorder)
