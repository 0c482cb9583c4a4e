"""The fourth room: proves that nothing was lost on the way (design §1, docs/howto/reconcile.md).

`reconcile` asks a peer and keeps what differs; `repair` puts back into the lanes what the peer
lacks. Nothing is sent from here.
"""

from gateway.reconcile.compare import CAUSES, Finding
from gateway.reconcile.findings import Stored
from gateway.reconcile.findings import read as findings_of
from gateway.reconcile.ports import TOLERANCE, Ask, Register, Tell
from gateway.reconcile.repair import Done, repair
from gateway.reconcile.run import Report, reconcile

__all__ = [
    "CAUSES",
    "TOLERANCE",
    "Ask",
    "Done",
    "Finding",
    "Register",
    "Report",
    "Stored",
    "Tell",
    "findings_of",
    "reconcile",
    "repair",
]
