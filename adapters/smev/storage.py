"""The file storage of СМЭВ: an FTP server beside it, for files that are too large for a message.

A file is put under its uuid before the message that names it, and fetched by credentials that the
message brings and that hold for it alone. Every step is bounded in bytes and seconds; a password
never enters an error.
"""

from __future__ import annotations

import ftplib
import io
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from gateway import secretfile
from gateway.errors import PeerRefused, PeerUnavailable, TooLargeError

if TYPE_CHECKING:
    from adapters.smev.messages.types import FSAttachment
    from adapters.smev.options import Options

_PIECE: Final = 65_536
_ENCODING: Final = "utf-8"
_WHOLE_SECONDS: Final = 300.0
_LINES: Final = 200
"""Of one dialogue; a file takes a dozen. An answer of several lines has no end of its own."""


class _Bounded(ftplib.FTP):
    """A dialogue that ends, whatever the storage says."""

    lines = _LINES

    def getline(self) -> str:
        """Return a line of the storage; raise EOFError for one too many."""
        self.lines -= 1
        if self.lines < 0:
            raise EOFError(f"it said more than {_LINES} lines")
        return super().getline()


class _BoundedTls(_Bounded, ftplib.FTP_TLS):
    """The same over TLS."""


class Storage:
    """Puts and fetches files. timeout: seconds of one step of the dialogue."""

    def __init__(self, options: Options, timeout: float) -> None:
        self._options = options
        self._timeout = timeout

    def put(self, uuid: str, name: str, data: bytes) -> None:
        """Put a file under its uuid; a repeat writes the same bytes over itself."""
        o, end = self._options, monotonic() + _WHOLE_SECONDS

        def sent(_piece: bytes) -> None:
            if monotonic() > end:
                raise TimeoutError("the file goes too slowly")

        password = secretfile.read(o.table, "storage_password_file").decode("utf-8", "replace")
        try:
            with self._connected(o.storage_user, password) as ftp:
                with suppress(ftplib.error_perm):  # it is there since an earlier try
                    ftp.mkd(uuid)
                ftp.storbinary(f"STOR {uuid}/{name}", io.BytesIO(data), _PIECE, sent)
        except (ftplib.Error, OSError, EOFError, ValueError) as error:
            raise _away(error, "a file cannot be put") from error

    def fetch(self, one: FSAttachment) -> bytes:
        """Fetch a file; raise PeerUnavailable, PeerRefused, TooLargeError."""
        found, end = io.BytesIO(), monotonic() + _WHOLE_SECONDS
        most = self._options.file_bytes

        def take(piece: bytes) -> None:
            if found.tell() + len(piece) > most:
                raise TooLargeError(
                    "a file of the storage is too large",
                    found=f"over {most} bytes",
                    expected=f"at most {most}: file_bytes",
                    where=one.uuid,
                )
            if monotonic() > end:
                raise TimeoutError("the file comes too slowly")
            found.write(piece)

        try:
            with self._connected(one.user_name, one.password) as ftp:
                ftp.retrbinary(f"RETR {one.file_name or one.uuid}", take, _PIECE)
        except (ftplib.Error, OSError, EOFError, ValueError) as error:
            raise _away(error, "a file cannot be fetched") from error
        return found.getvalue()

    def _connected(self, user: str, password: str) -> ftplib.FTP:
        o = self._options
        if not o.storage_host:
            raise PeerRefused(
                "сообщение с файлом хранилища, а storage не задан · a file of the storage, and no"
                " storage is set",
                todo="`gateway peer option … storage=host:21`",
            )
        ftp = (_BoundedTls if o.storage_tls else _Bounded)(
            timeout=self._timeout, encoding=_ENCODING
        )
        try:
            ftp.connect(o.storage_host, o.storage_port)
            ftp.login(user, password)
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
        except BaseException:
            ftp.close()
            raise
        return ftp


def _away(error: Exception, what: str) -> PeerUnavailable | PeerRefused:
    """Return the error of a dialogue that failed; of the server's words the first line only."""
    said = str(error).partition("\n")[0][:120]
    if isinstance(error, ftplib.error_perm | ValueError):
        return PeerRefused(f"file storage: {what}", found=said)
    return PeerUnavailable(f"file storage: {what}", found=said or type(error).__name__)
