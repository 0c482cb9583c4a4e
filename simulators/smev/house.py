"""What the parts of the stand share, and small things that all of them do."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, NamedTuple

from simulators.smev.keys import OWN
from simulators.smev.rules import Refusal
from simulators.smev.writing import Party

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from simulators.smev.account import Account
    from simulators.smev.keys import Ring, Signer
    from simulators.smev.registry import Registry
    from simulators.smev.schemas import Schemas
    from simulators.smev.storage import Storage
    from simulators.smev.troubles import Troubles

SMEV = Party("SMEV", "Имитатор СМЭВ")


class Replies(NamedTuple):
    """How answers go out. plain: not in a package unless there are attachments."""

    split: bool = False
    plain: bool = False


class House(NamedTuple):
    """The stand's parts. now: its clock. secret: of the tokens in ReplyTo."""

    account: Account
    registry: Registry
    ring: Ring
    schemas: Schemas
    storage: Storage
    troubles: Troubles
    now: Callable[[], datetime]
    secret: bytes
    replies: Replies = Replies()
    statuses: bool = False
    """Whether the sender is told by GetStatus that a request passed."""

    def party(self, mnemonic: str) -> Party:
        """Return a system as MessageMetadata names it."""
        if mnemonic == SMEV.mnemonic:
            return SMEV
        return Party(mnemonic, self.registry.system(mnemonic).title)

    def signer(self) -> Signer:
        """Return СМЭВ's own key."""
        return self.ring.signer(OWN, self.now())

    def reply_to(self, message_id: str) -> str:
        """Return an opaque token for ReplyTo, another one each time."""
        salt = secrets.token_hex(8)
        told = {"sid": salt, "mid": message_id, "m": self._mark(salt, message_id)}
        return urlsafe_b64encode(json.dumps(told).encode()).decode()

    def replied(self, token: str) -> str:
        """Return the number of the request that a token was given for, or raise Refusal."""
        try:
            told = json.loads(urlsafe_b64decode(token))
            message_id, mark = str(told["mid"]), str(told["m"])
            expected = self._mark(str(told["sid"]), message_id)
        except (ValueError, TypeError, LookupError):
            message_id, mark, expected = "", "", "-"
        if not hmac.compare_digest(mark.encode(), expected.encode()):
            raise Refusal("RecipientIsNotFound", "To не выдавался этим имитатором")
        return message_id

    def _mark(self, salt: str, message_id: str) -> str:
        return hmac.digest(self.secret, f"{salt}/{message_id}".encode(), "sha256").hex()[:32]
