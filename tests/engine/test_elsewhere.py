"""Processes that work for this one: they end with it, are replaced when they die, and on a cluster too."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from types import ModuleType

import psutil
import pytest

from pcviz.engine import elsewhere as elsewhere_module
from pcviz.engine.elsewhere import Cluster, Processes, elsewhere
from pcviz.settings import Settings
from tests.engine.conftest import wait_until


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    # A page that was tested leaves its script as the main module, which new processes would run.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    made = Processes(1)
    yield made
    made.close()


def test_settings_say_where() -> None:
    assert elsewhere(Settings()) is None
    made = elsewhere(Settings.from_environment({"PCVIZ_DATABASE": "sqlite://", "PCVIZ_SWEEP_WORKERS": "3"}))
    assert isinstance(made, Processes) and (made.slots, made.place) == (3, "3 processes")
    cluster = elsewhere(Settings(scheduler="tcp://far:1"))
    assert isinstance(cluster, Cluster) and cluster.place == "scheduler tcp://far:1"
    with pytest.raises(ValueError, match=r"^PCVIZ_SWEEP_WORKERS: 2 does not go with PCVIZ_SCHEDULER \(allowed: "):
        Settings(sweep_workers=2, scheduler="tcp://far:1")


def test_a_process_that_dies_is_replaced_and_all_end_at_the_end(processes: Processes) -> None:
    first = processes.submit(os.getpid).result(60)
    with pytest.raises(BrokenExecutor):
        processes.submit(os._exit, 1).result(60)
    second = processes.submit(os.getpid).result(60)
    assert os.getpid() != first != second and not psutil.pid_exists(first)
    os.kill(second, signal.SIGINT)
    assert processes.submit(os.getpid).result(60) == second, "Ctrl-C is for the parent"
    processes.close()
    assert not psutil.pid_exists(second)


def test_processes_end_with_a_parent_that_is_killed() -> None:
    script = (
        "import os\nfrom pcviz.engine.elsewhere import Processes\n"
        "if __name__ == '__main__':\n"
        "    made = Processes(1)\n    print(made.submit(os.getpid).result(), flush=True)\n    input()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_cluster_does_what_it_is_asked_and_one_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=3, processes=False, dashboard_address=None, protocol="tcp"
    ) as local:
        cluster = Cluster(local.scheduler_address)
        assert cluster.slots == 1, "nobody has asked yet"
        assert cluster.submit(divmod, 7, 2).result(30) == (3, 1)
        assert cluster.slots == 3
        with pytest.raises(ZeroDivisionError):
            cluster.submit(divmod, 7, 0).result(30)
        cluster.close()
        again = cluster.submit(divmod, 7, 2)
        assert again.result(30) == (3, 1), "it is joined again"
        cluster.close()
    monkeypatch.setattr(elsewhere_module, "CONNECT_SECONDS", 0.1)
    with pytest.raises(ConnectionError, match=r"^scheduler nonsense:1 cannot be reached: "):
        Cluster("nonsense:1").submit(divmod, 7, 2)
