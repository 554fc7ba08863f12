"""Two servers and two workers on one store, all at once: they take turns, and nothing of it shows in what is stored."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pcviz.engine.client import Client
from pcviz.store import Store
from tests.engine.conftest import experiment, wait_until, working
from tests.engine.history import assert_history_is_whole

pytestmark = pytest.mark.postgresql
RUNS, STEPS = 4, 120


def steered(url: str, seed: int) -> list[str]:
    """Start runs at a server of one's own, and let nobody rest until the last of them has begun."""
    client, chance = Client(Store(url)), random.Random(seed)
    runs: list[str] = []
    for number in range(RUNS):
        runs.append(client.start(experiment(STEPS, number), f"session {seed}"))
        child = client.add_child(runs[-1], "training_plane")
        for _ in range(4):
            run = chance.choice(runs)
            chance.choice([client.pause, client.step, client.snapshot, client.resume, client.keep_token])(run)
            client.renew(runs)
        client.cancel(child)
    for run in runs:
        client.resume(run)
    client.store.close()
    return runs


def test_two_servers_and_two_workers_at_once(client: Client, database_url: str) -> None:
    client.store.database.open()
    with working(database_url) as told, working(database_url) as told_too:
        with ThreadPoolExecutor(2) as servers:
            started = [*servers.map(lambda seed: steered(database_url, seed), range(2))]
        wait_until(lambda: all(client.get(run).ended for runs in started for run in runs), 60)
        assert told == told_too == []
    for runs in started:
        for number, run in enumerate(runs):
            assert (client.get(run).state, client.get(run).restarts) == ("done", 0)
            assert_history_is_whole(client, run, STEPS, number)


def test_steps_that_many_ask_for_at_once_are_all_taken(client: Client, database_url: str) -> None:
    run = client.start(experiment(), "s", wanted="paused")
    stores, begin = [Store(database_url) for _ in range(4)], threading.Barrier(4)

    def ask(store: Store) -> None:
        begin.wait(20)
        for _ in range(5):
            store.requests.allow_steps(run, 1)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, stores))
    assert client.get(run).allowed_until_step == 20
    for store in stores:
        store.close()
