"""A small FTP server for the file storage: passive mode, on loopback (RFC 959, RFC 2428)."""

from __future__ import annotations

import re
import secrets
import socket
import threading
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from simulators.smev.storage import Pass, Storage

MAX_FILE: Final = 256 * 1024 * 1024
_WAIT: Final = 30.0
_LINE: Final = 1_000
_CHUNK: Final = 65_536
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]")


class Server(ThreadingTCPServer):
    """Serves one storage; `port` after it was made."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, storage: Storage, host: str = "127.0.0.1", port: int = 0) -> None:
        class Bound(_Session):
            store = storage

        super().__init__((host, port), Bound)
        self.port: int = self.server_address[1]

    def start(self) -> None:
        """Serve in a thread of its own until `shutdown`."""
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()


class _Session(StreamRequestHandler):
    """One control connection."""

    store: ClassVar[Storage]
    timeout = 120

    def setup(self) -> None:
        super().setup()
        self._user = ""
        self._uploads = False
        self._pass: Pass | None = None
        self._folder = "/"
        self._listener: socket.socket | None = None

    def handle(self) -> None:
        self._say(220, "file storage of the simulator")
        try:
            while line := self.rfile.readline(_LINE):
                word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                if _UNSAFE.search(rest) or not self._obey(word.upper(), rest):
                    return
        except OSError:
            return
        finally:
            self._no_data()

    def _obey(self, word: str, rest: str) -> bool:
        """Carry out one command; False ends the session."""
        if word == "QUIT":
            self._say(221, "bye")
            return False
        plain = {
            "SYST": (215, "UNIX Type: L8"), "NOOP": (200, "ok"), "TYPE": (200, "ok"),
            "MODE": (200, "ok"), "STRU": (200, "ok"), "OPTS": (200, "ok"), "ALLO": (202, "ok"),
        }  # fmt: skip
        if word in plain:
            self._say(*plain[word])
        elif word == "FEAT":
            self.wfile.write(b"211-Features:\r\n UTF8\r\n EPSV\r\n SIZE\r\n211 End\r\n")
        elif word == "USER":
            self._user = rest
            self._say(331, "password")
        elif word == "PASS":
            self._log_in(rest)
        elif not (self._uploads or self._pass):
            self._say(530, "log in first")
        else:
            self._known(word, rest)
        return True

    def _log_in(self, password: str) -> None:
        user, expected = self.store.upload
        told = f"{self._user}\0{password}".encode()
        self._uploads = secrets.compare_digest(told, f"{user}\0{expected}".encode())
        self._pass = None if self._uploads else self.store.known(self._user, password)
        if self._uploads or self._pass:
            self._say(230, "logged in")
        else:
            self._say(530, "not logged in")

    def _known(self, word: str, rest: str) -> None:
        match word:
            case "PWD" | "XPWD":
                self._say(257, f'"{self._folder}"')
            case "CWD" | "XCWD":
                self._folder = self._path(rest)
                self._say(250, "ok")
            case "CDUP":
                self._folder = "/"
                self._say(250, "ok")
            case "MKD" | "XMKD" if self._uploads:
                self._say(257, f'"{self._path(rest)}"')
            case "PASV" | "EPSV":
                self._listen(word)
            case "STOR" if self._uploads:
                self._take(self._path(rest))
            case "SIZE":
                found = self._found(rest)
                self._say(*((213, str(len(found))) if found is not None else (550, "no file")))
            case "RETR":
                self._give(rest)
            case "LIST" | "NLST":
                self._list()
            case _:
                self._say(502, "not offered")

    def _path(self, rest: str) -> str:
        base = "" if rest.startswith("/") else self._folder.rstrip("/") + "/"
        return "/" + (base + rest).strip("/")

    def _found(self, rest: str) -> bytes | None:
        """Return a file that these credentials open."""
        steps = self._path(rest).strip("/").split("/")
        if self._pass is None:
            uuid = steps[0]
        elif set(steps) <= {self._pass.uuid, self._pass.name.strip("/")}:
            uuid = self._pass.uuid
        else:
            return None
        place = self.store.path(uuid)
        return place.read_bytes() if place else None

    def _listen(self, word: str) -> None:
        self._no_data()
        self._listener = socket.create_server((self.connection.getsockname()[0], 0))
        self._listener.settimeout(_WAIT)
        host, port = self._listener.getsockname()[:2]
        if word == "EPSV":
            self._say(229, f"passive (|||{port}|)")
        else:
            self._say(227, f"passive ({host.replace('.', ',')},{port >> 8},{port & 255})")

    def _accepted(self) -> socket.socket | None:
        if self._listener is None:
            self._say(425, "PASV or EPSV first")
            return None
        self._say(150, "open")
        try:
            data, _ = self._listener.accept()
        except TimeoutError:
            self._say(425, "nobody came")
            return None
        finally:
            self._no_data()
        data.settimeout(_WAIT)
        return data

    def _take(self, path: str) -> None:
        data = self._accepted()
        if data is None:
            return
        body = bytearray()
        with data:
            while chunk := data.recv(_CHUNK):
                body += chunk
                if len(body) > MAX_FILE:
                    self._say(552, "too large")
                    return
        if self.store.put(path, bytes(body)):
            self._say(226, "stored")
        else:
            self._say(553, "a file is named by its uuid")

    def _give(self, rest: str) -> None:
        found = self._found(rest)
        if found is None:
            self._say(550, "no file")
            return
        data = self._accepted()
        if data is None:
            return
        with data:
            data.sendall(found)
        if self._pass is not None:
            self.store.fetched(self._pass)
        self._say(226, "sent")

    def _list(self) -> None:
        name = self._pass.name if self._pass else ""
        data = self._accepted()
        if data is None:
            return
        with data:
            data.sendall(f"{name}\r\n".encode() if name else b"")
        self._say(226, "sent")

    def _no_data(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _say(self, code: int, text: str) -> None:
        self.wfile.write(f"{code} {text}\r\n".encode())
