"""The processes of the crash tests: they run what they are sent, and none is left over."""

import os
import subprocess
import sys
from operator import methodcaller
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.processes import Child, ProcessPool, last_messages

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")

#: What a child does that waits for ever.
WAIT = methodcaller("recv")


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_sends_its_messages(pool: ProcessPool) -> None:
    children = [pool.start(methodcaller("send", word)) for word in ("here", "there")]
    said = {child.pid: message for child, message in last_messages(children)}
    assert [said[child.pid] for child in children] == ["here", "there"]


def test_a_killed_child_is_gone_when_the_call_returns(pool: ProcessPool) -> None:
    child = pool.start(WAIT)
    assert is_there(child.pid)
    child.kill()
    assert not is_there(child.pid)


def test_what_a_killed_child_had_sent_can_be_read(pool: ProcessPool) -> None:
    child = pool.start(methodcaller("send", "a last word"))
    assert child.channel.poll(processes.TIMEOUT)
    child.kill()
    assert [message for _, message in last_messages([child])] == ["a last word"]


def test_a_child_that_hangs_is_noticed(pool: ProcessPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "TIMEOUT", 0.01)
    child = pool.start(WAIT)
    with pytest.raises(AssertionError, match="hangs"):
        list(last_messages([child]))
    child.kill()


def test_no_child_outlives_its_pool() -> None:
    children: list[Child] = []
    with processes.process_pool("operator") as pool:
        children += [pool.start(WAIT) for _ in range(3)]
    assert not any(is_there(child.pid) for child in children)


START_AND_DIE = """
import os, signal
from operator import methodcaller
from tests.support.processes import ProcessPool
print(ProcessPool("operator").start(methodcaller("recv")).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_no_child_outlives_a_killed_caller() -> None:
    killed = subprocess.run(  # noqa: S603 - our own script and this very Python
        [sys.executable, "-c", START_AND_DIE],
        cwd=Path(processes.__file__).parents[2],
        capture_output=True,  # the children have a hold on it: they are waited for as well
        text=True,
        check=False,
    )
    assert not is_there(int(killed.stdout))
