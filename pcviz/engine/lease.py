"""Leases: names of workers, and whether the worker that holds a run is still alive."""

import os
import socket
import sys
import time
import uuid

from pcviz.store import RunRecord


def worker_name() -> str:
    """A name for this process that no other worker has, here or elsewhere."""
    return f"{_host()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def is_stale(record: RunRecord) -> bool:
    """Whether the lease has expired, or its holder was a process of this machine that is gone."""
    if record.lease_until < time.time():
        return True
    host, _, pid = (record.worker or "").rpartition(":")[0].rpartition(":")
    return host == _host() and pid.isascii() and pid.isdigit() and _is_gone(int(pid))


def _is_gone(pid: int) -> bool:
    if sys.platform == "win32":  # on Windows os.kill would end the process; the lease expires soon enough
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _host() -> str:
    """This machine and process namespace: containers may share a host name, but process ids hold within one only."""
    try:
        namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        namespace = f"{uuid.getnode():x}"
    return f"{socket.gethostname()[:64]}-{namespace}"
