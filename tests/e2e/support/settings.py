"""What run.py was told: the binary under test, and how patient to be with it.

A wait that ends when something happens is stretched by PATIENCE: it costs nothing on a quick machine, and a busy one
(another build beside it, two slow cores) is no fault. What a time says by itself goes by SLOWNESS.
"""

BINARY = None
SLOWNESS = 1.0  # > 1 for sanitized binaries
PATIENCE = 6.0  # six times SLOWNESS: how much longer than on a quick machine a wait may last


def set_slowness(factor):
    global SLOWNESS, PATIENCE
    SLOWNESS, PATIENCE = factor, 6.0 * factor
