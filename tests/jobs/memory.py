"""Peak memory of one run in this process, as JSON: `python -m tests.jobs.memory '{"network.depth": 8}'`.

Two weight steps in a worker with a checkpoint, then the checkpoint is read and gone on from, as after a restart.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.experiment import from_paths
from pcviz.instruments.jobs import JOBS
from pcviz.jobs.training import Training
from pcviz.settings import Settings
from pcviz.store import Store


def peak() -> int:
    """Bytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    experiment = from_paths({**json.loads(sys.argv[1]), "learning.steps": 2})
    with tempfile.TemporaryDirectory() as folder:
        client = Client(Store(f"sqlite:///{Path(folder) / 'pcviz.db'}"))
        worker = Worker(client.store, Settings(), lambda: JOBS)
        run = client.start(experiment, "s")
        while not client.get(run).ended or client.get(run).worker is not None:
            if not worker.turn():
                time.sleep(0.01)
        assert client.get(run).state in ("done", "diverged"), client.get(run).message
        worked = peak()
        saved = client.store.reader.checkpoint(run, 1)
        assert saved is not None
        restored = Training(experiment)
        restored.prepare()
        restored.restore(saved[1])
        print(json.dumps({"worked": worked, "restored": peak()}))


if __name__ == "__main__":
    main()
