"""Registry of cases, and expectations whose failure says what was seen.

A case is a function; `@case` registers it under a sentence. Tables register one case per row with
`register`. A case fails by raising; a case that cannot run here raises Skip with the reason.
"""

import contextlib
import os
import time

from support import settings


class Failure(AssertionError):
    """An expectation that did not hold."""


class Skip(Exception):
    """The machine lacks what the case needs; says what."""


def not_installed(package):
    """What to raise where a Debian package is missing: the scripts of tests/ have installed them all."""
    sentence = f"{package} is not installed (deploy/packages.txt)"
    return Failure(sentence) if os.environ.get("PARAVENT_E2E_INSTALLED") else Skip(sentence)


class Case:
    def __init__(self, module, name, run, slow, smoke, figures):
        self.module = module
        self.name = name
        self.run = run
        self.slow = slow
        self.smoke = smoke
        self.figures = figures


CASES = []


def register(name, run, slow=False, smoke=False, figures=False):
    CASES.append(Case(run.__module__.rsplit(".", 1)[-1], name, run, slow, smoke, figures))


def case(name, slow=False, smoke=False, figures=False):
    """slow: left out by --quick. smoke: the few that --smoke runs. figures: it measures memory or time, which a sanitizer
    changes, or looks at memory, which it keeps; left out by --sanitized."""

    def decorate(run):
        register(name, run, slow, smoke, figures)
        return run

    return decorate


class Shared:
    """Something that is costly to start and that the cases of one file share; closed after the file."""

    _open = []

    def __init__(self, make):
        self._make = make
        self._value = None

    def get(self):
        if self._value is None:
            self._value = self._make()
            Shared._open.append(self)
        return self._value

    @classmethod
    def close_all(cls):
        """Closes everything and answers the errors that closing brought up."""
        errors = []
        while cls._open:
            shared = cls._open.pop()
            value, shared._value = shared._value, None
            try:
                value.close()
            except Exception as error:  # noqa: BLE001 - reported as a failed case
                errors.append(str(error))
        return errors


def shown(value, limit=600):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)} in all)"


def expect(condition, message):
    if not condition:
        raise Failure(message)


def wait_for(condition, message, seconds=20):
    deadline = time.monotonic() + seconds * settings.PATIENCE
    while not condition():
        expect(time.monotonic() < deadline, message)
        time.sleep(0.05)


def equal(seen, wanted, what):
    if seen != wanted:
        raise Failure(f"{what}: expected {shown(wanted)}, got {shown(seen)}")


def contains(text, part, what):
    if part not in text:
        raise Failure(f"{what}: {shown(part, 200)} is missing in {shown(text)}")


def lacks(text, part, what):
    """`part` stands nowhere in `text`. For a short `part` hand `tokens.without(text)`, or chance decides."""
    if part in text:
        raise Failure(f"{what}: {shown(part, 200)} stands in {shown(text)}")


@contextlib.contextmanager
def about(what):
    """Puts `what` in front of the message of a failure inside."""
    try:
        yield
    except Failure as failure:
        raise Failure(f"{what}: {failure}") from None
