"""Processes that start quickly and can be killed at any moment.

A `ProcessPool` is one process that has imported a module and forks a `Child` on request. A child
gets a function and its arguments, and reports on a channel. No process outlives its caller: when
the socket of the pool closes, because of `close` or a killed caller, it kills its children.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from time import monotonic
from traceback import print_exc
from typing import Any, TypeAlias

#: How many seconds children may take before a test fails; far more than they ever need.
TIMEOUT = 600.0

#: The channel on which a child reports; messages are pickled.
Channel: TypeAlias = "Connection[Any, Any]"

_WORD = 8  # an order, and the answer to it, is one number


def _number(given: int) -> bytes:
    return given.to_bytes(_WORD, "big")


class Child:
    """A process that runs one function and reports on a channel."""

    def __init__(self, pool: "ProcessPool", channel: Channel, pid: int) -> None:
        self.channel = channel
        self.pid = pid
        self._pool = pool

    def kill(self) -> None:
        """Kill it at once, as ``kill -9`` does; messages it has sent can still be read."""
        os.kill(self.pid, signal.SIGKILL)
        self._pool.wait_for(self.pid)


def messages(children: Iterable[Child], seconds: float) -> Iterator[tuple[Child, Any]]:
    """Yield the messages of *children*, until all have ended or after *seconds*."""
    listening: dict[Any, Child] = {one.channel: one for one in children if not one.channel.closed}
    until = monotonic() + seconds
    while listening and (left := until - monotonic()) > 0:
        for channel in wait(listening, left):
            child = listening[channel]
            try:
                message = child.channel.recv()
            except EOFError:
                child.channel.close()
                del listening[channel]
            else:
                yield child, message


def last_messages(children: Sequence[Child]) -> Iterator[tuple[Child, Any]]:
    """Yield the messages of *children* until all have ended; fail if one does not."""
    yield from messages(children, TIMEOUT)
    assert all(child.channel.closed for child in children), "a child hangs"


class ProcessPool:
    """Forks children on request; use `process_pool`."""

    def __init__(self, module: str) -> None:
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and this very Python
                [sys.executable, "-P", __file__, str(theirs.fileno()), module],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def start(self, function: Callable[..., None], *arguments: Any) -> Child:
        """Start a child that calls *function* with its channel and *arguments*."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._orders, [_number(0)], [theirs.fileno()])
            pid = self._answer()
        channel: Channel = Connection(ours.detach())
        channel.send((function, arguments))
        return Child(self, channel, pid)

    def wait_for(self, pid: int) -> None:
        """Wait until a killed child is gone."""
        self._orders.sendall(_number(pid))
        self._answer()

    def close(self) -> None:
        """End all children that are left."""
        self._orders.close()
        self._process.wait(TIMEOUT)

    def _answer(self) -> int:
        answer = self._orders.recv(_WORD, socket.MSG_WAITALL)
        assert len(answer) == _WORD, "the process pool has ended; its error is above"
        return int.from_bytes(answer, "big")


@contextmanager
def process_pool(module: str) -> Iterator[ProcessPool]:
    """Run a process pool that has imported *module* for as long as the block lasts."""
    kept = ProcessPool(module)
    try:
        yield kept
    finally:
        kept.close()


def _run(channel: Channel) -> None:
    """Run the function that this child receives, and exit."""
    code = 1
    try:
        function, arguments = channel.recv()
        function(channel, *arguments)
        code = 0
    except BrokenPipeError:
        pass  # the caller is gone
    except BaseException:  # noqa: BLE001 - shown, and then this process ends in any case
        print_exc()
    finally:
        os._exit(code)


def _serve(orders: socket.socket) -> None:
    """Fork children and wait for killed ones, until *orders* is closed."""
    children: set[int] = set()
    while True:
        order, descriptors, _, _ = socket.recv_fds(orders, _WORD, 1)
        if not order:
            break
        if descriptors:
            pid = os.fork()
            if pid == 0:
                orders.close()
                _run(Connection(descriptors[0]))
            os.close(descriptors[0])
            children.add(pid)
        else:
            pid = int.from_bytes(order, "big")
            os.waitpid(pid, 0)
            children.remove(pid)
        orders.sendall(_number(pid))
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    __import__(sys.argv[2])
    _serve(socket.socket(fileno=int(sys.argv[1])))
