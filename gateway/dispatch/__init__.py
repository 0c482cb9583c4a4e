"""The third room: takes the head of a lane, sends, settles (design §1, docs/adr/0012).

`Dispatcher` runs it; `Destination` and `Policy` say whom it speaks to and how; `Snapshots` gives it
what to encode.
"""

from gateway.dispatch.ports import Destination, Observer, Policy, Snapshot, Snapshots
from gateway.dispatch.runner import Dispatcher

__all__ = ["Destination", "Dispatcher", "Observer", "Policy", "Snapshot", "Snapshots"]
