"""What the meter says of a process that others have to be measured by."""

import os
import threading
import time

from tests.attack.meter import Meter


def work(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_the_time_of_a_thread_that_has_ended_counts():
    meter = Meter([os.getpid()])
    before = meter.cpu()
    thread = threading.Thread(target=work, args=(0.05,))
    thread.start()
    thread.join()
    assert 0.05 <= meter.cpu() - before < 5
