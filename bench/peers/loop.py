"""The peer of dispatch: a plain client loop, threads that take bodies and post them by urllib3.

`python -m bench.peers.loop PORT THREADS`: reads a JSON array of (key, body in base64) a line from
standard input, posts each once, and answers with the seconds that took, as a line.
"""

from __future__ import annotations

import queue
import sys
import threading
import time

import msgspec
import urllib3


class Loop:
    """As many connections as threads, kept open between the lines."""

    def __init__(self, port: int, threads: int) -> None:
        self._threads = threads
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=threads, block=True)

    def post(self, bodies: list[tuple[str, bytes]]) -> float:
        """Post every body; return the seconds from the first to the last answer."""
        waiting: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        for item in bodies:
            waiting.put(item)
        threads = [
            threading.Thread(target=self._work, args=(waiting,)) for _ in range(self._threads)
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun

    def _work(self, waiting: queue.SimpleQueue[tuple[str, bytes]]) -> None:
        while True:
            try:
                key, body = waiting.get_nowait()
            except queue.Empty:
                return
            headers = {
                "Content-Type": "application/cloudevents+json; charset=utf-8",
                "Idempotency-Key": key,
            }
            answer = self._pool.urlopen("POST", "/hook", body, headers, retries=False)
            if answer.status != 200:
                raise SystemExit(f"answered {answer.status}")


if __name__ == "__main__":
    loop = Loop(int(sys.argv[1]), int(sys.argv[2]))
    for line in sys.stdin:
        taken = loop.post(msgspec.json.decode(line, type=list[tuple[str, bytes]]))
        print(taken, flush=True)
