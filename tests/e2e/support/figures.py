"""Figures that hold on a slow and busy machine too."""

import time

from .case import expect

# An environment for the gateway: freed pages go back at once, not within ten seconds, so that what is measured is in use.
AT_ONCE = {"MALLOC_CONF": "dirty_decay_ms:0"}

# Processor time of one yardstick on the machine on which the figures were taken.
_YARDSTICK_SECONDS = 0.009


def _yardstick():
    begin = time.process_time()
    total = 0
    for number in range(400_000):
        total += number & 7
    return time.process_time() - begin


def pace():
    """How many times slower than there arithmetic is here and now, in processor time; 1 at least."""
    return max(1.0, sorted(_yardstick() for _ in range(3))[1] / _YARDSTICK_SECONDS)


def soon_enough(what, seconds, who):
    """`what` is done within so many seconds: the best of five tries, as soon as one is."""
    best = None
    for _ in range(5):
        begin = time.monotonic()
        what()
        took = time.monotonic() - begin
        best = took if best is None else min(best, took)
        if best < seconds:
            return
    expect(False, f"{who} waited {best:.1f} s")
