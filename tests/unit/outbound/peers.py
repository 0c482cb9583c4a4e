"""Peers that are real sockets on loopback and behave as told."""

import contextlib
import socket
import ssl
import struct
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """A server whose behaviour is a function of (connection, its number); counts requests."""

    def __init__(self, behave, tls=None):
        self.requests = []
        self._behave = behave
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        number = 0
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=self._one, args=(sock, number), daemon=True).start()

    def _one(self, sock, number):
        with contextlib.suppress(OSError), sock:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                try:
                    sock.do_handshake()
                except ssl.SSLError:
                    self._hang_up_gently(sock)
                    raise
            with sock:
                self._behave(self, sock, number)

    def _hang_up_gently(self, sock):
        """Let the alert arrive: closing over unread bytes would reset the line and overtake it."""
        with socket.socket(fileno=sock.detach()) as plain:
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65_536):
                pass

    def read(self, sock):
        """One request: its head and its body; empty when the caller hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = sock.recv(65_536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (
                int(h.split(b":")[1])
                for h in head.split(b"\r\n")
                if h.lower().startswith(b"content-length")
            ),
            0,
        )
        while len(body) < length:
            chunk = sock.recv(65_536)
            if not chunk:
                return b""
            body += chunk
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def close(self):
        # Closing alone does not wake the thread: it would go on, and spin, till the process ends.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()


def answers(*replies):
    """A peer that gives these replies on each connection, then hangs up."""

    def behave(peer, sock, number):
        for reply in replies:
            if not peer.read(sock):
                return
            sock.sendall(reply)

    return behave


def always(peer, sock, number):
    while peer.read(sock):
        sock.sendall(OK)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def tls_server(folder, *, ask=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    if ask:
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context
