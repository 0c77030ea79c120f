"""What run.py was told: the binary under test, and how patient to be with it."""

BINARY = None
SLOWNESS = 1.0  # > 1 for sanitized binaries: stretches every wait
