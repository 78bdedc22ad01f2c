"""Says in a sentence which path of a command cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager

from nst_core.errors import OutputError, named


@contextmanager
def usable_paths() -> Iterator[None]:
    """Name a path that cannot even be asked for, as its name is too long or its folder is closed.

    Raises:
        OutputError: in place of an OSError of the system's that has a path.
    """
    try:
        yield
    except OSError as error:
        if not error.filename:
            raise
        reason = (error.strerror or "it failed").lower()
        raise OutputError(f"{named(str(error.filename))} cannot be used ({reason}); name another") from None
