"""A broker that speaks AMQP as far as it wants to: a thread that listens on the loopback."""

import socket
import struct
import threading
from contextlib import suppress

METHOD, HEADER, BODY = 1, 2, 3
CAPABILITIES = b"".join(
    bytes([len(name)]) + name + b"t\x01" for name in (b"publisher_confirms", b"basic.nack")
)


def frame(kind, channel, data):
    return struct.pack(">BHL", kind, channel, len(data)) + data + b"\xce"


def method(channel, class_id, number, arguments=b""):
    return frame(METHOD, channel, struct.pack(">HH", class_id, number) + arguments)


def short(data):
    return bytes([len(data)]) + data


def long(data):
    return struct.pack(">I", len(data)) + data


def given(channel, size):
    """The head of a message that is given out: Basic.GetOk and its header."""
    answer = method(channel, 60, 71, struct.pack(">QB", 1, 0) + short(b"") + short(b"q") + bytes(4))
    return answer + frame(HEADER, channel, struct.pack(">HHQH", 60, 0, size, 0))


class Hostile:
    """Opens a connection in order, unless it is mute; then answers as told.

    on: (class, method) → what is said to it, over and over when it ends in `...`; None is nothing.
    """

    def __init__(self, on=None, *, mute=False):
        self._on, self._mute = on or {}, mute
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open = []
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def address(self):
        return f"amqp://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self):
        # the thread that waits in accept holds the socket; shutdown wakes it
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _run(self):
        with suppress(OSError):
            while True:
                sock, _ = self._listening.accept()
                self._open.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with suppress(OSError, struct.error), sock.makefile("rb") as told:
            told.read(8)
            if self._mute:
                told.read()
            table = short(b"capabilities") + b"F" + long(CAPABILITIES)
            start = bytes([0, 9]) + long(table) + long(b"PLAIN") + long(b"en_US")
            sock.sendall(method(0, 10, 10, start))
            while True:
                _, channel, size = struct.unpack(">BHL", told.read(7))
                data = told.read(size + 1)
                self._answer(sock, channel, struct.unpack_from(">HH", data), data[4:-1])

    def _answer(self, sock, channel, called, arguments):
        if called in self._on:
            said = self._on[called]
            for part in said(channel) if said else ():
                sock.sendall(part)
            return
        usual = {
            (10, 11): lambda: method(0, 10, 30, struct.pack(">HIH", 2047, 131_072, 0)),
            (10, 40): lambda: method(0, 10, 41, short(b"")),
            (10, 50): lambda: method(0, 10, 51),
            (20, 10): lambda: method(channel, 20, 11, long(b"")),
            (40, 10): lambda: method(channel, 40, 11),
            (50, 10): lambda: method(channel, 50, 11, arguments[2 : 3 + arguments[2]] + bytes(8)),
            (50, 20): lambda: method(channel, 50, 21),
            (85, 10): lambda: method(channel, 85, 11),
        }
        if called in usual:
            sock.sendall(usual[called]())
