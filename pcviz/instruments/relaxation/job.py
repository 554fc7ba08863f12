"""One relaxation under the microscope: its whole trace, what theory says of it, other solvers from the same start."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.data.batches import batch_indices
from pcviz.experiment.looks import gradient_flops
from pcviz.experiment.solvers import SOLVERS
from pcviz.frames import Value
from pcviz.instruments.network.job import pictured
from pcviz.instruments.relaxation.forecast import Forecast
from pcviz.instruments.relaxation.options import ARRIVED, STATES, STAYS, Options
from pcviz.jobs.background import in_thread, until
from pcviz.jobs.descent import Descent
from pcviz.jobs.look import Look
from pcviz.jobs.traced import Traced
from pcviz.pcn import linear
from pcviz.pcn.solvers import Settings

CALL_FLOPS = 5e8
"""Operations in one call of a compiled program, so that slices end in time."""


class RelaxationJob(Look[Options]):
    """A run of kind "relax"."""

    KIND, OPTIONS = "relax", Options

    def _begin(self) -> None:
        self.names = self.options.compared(self.experiment)
        self.forecast: Forecast
        self.descents: dict[str, Descent] = {}
        self.traced: Traced
        self._exact: float | None = None
        self._picture: dict[str, Value] = {}

    def prepare(self) -> None:
        """Load the data, build the network, compile its training or, where there is none, its relaxation."""
        experiment = self.experiment
        seed, size = experiment.seed, experiment.learning.batch_size
        self._load_at(batch_indices(seed, self.options.batch, experiment.data.train_count, size), self.options.step)
        data = load(experiment.data, seed, experiment.dtype)
        self._shades = data.shades(np.asarray(self.x[0]))
        if self._training is None:
            self._set_up()

    def _set_up(self) -> None:
        """Compile the relaxation; the other solvers compile while it runs."""
        experiment = self.experiment
        self._chunk = max(1, int(CALL_FLOPS / gradient_flops(experiment)))
        budget = self.options.most_passes(experiment)
        if self.network.has_closed_form and experiment.relaxes_plainly:
            self._exact = float(linear.least_energy(self.network, self.x, self.y))
        self.traced = Traced(experiment, self.network, self.x, self.y, self._chunk)
        self.forecast = Forecast(experiment, self.network, self.x, self.y, self.traced.rows)
        for name in self.names:
            batch = self.x, self.y
            self.descents[name] = Descent(name, self.network, batch, self._settings(name), budget, self._chunk)
        self.traced.compile()
        # Slow compilations run beside the relaxation, one after the other.
        pool = ThreadPoolExecutor(1, "pcviz-relax")
        self._theory = pool.submit(self.forecast.compute)
        # Fast solvers are last in the table and run first: the others then know how low the energy goes.
        self._compiled: dict[str, Future[None]] = {n: pool.submit(self.descents[n].compile) for n in self.names[::-1]}
        pool.shutdown(wait=False)

    def _settings(self, name: str) -> Settings:
        """A solver's numbers: the experiment's for its own solver, theory's best (or a usual one) for the others."""
        inference, forecast = self.experiment.inference, self.forecast
        smallest, largest = forecast.curvatures or (1e-3, 1 / 0.3)
        largest = float(forecast.values.get("curvature_max", largest))
        usual = SOLVERS[name].usual_step
        size = None if usual is None else usual(largest, forecast.error_curvature)
        if name == inference.solver:
            size = inference.step_size
        array = None if size is None else jnp.asarray(size, self.network.dtype)
        return Settings(array, inference.momentum, (max(smallest, 1e-12), largest))

    # --- the work, cut wherever something is yielded

    def _work(self) -> Iterator[object]:
        if not hasattr(self, "traced"):
            yield from self._weights(self.options.step)
            yield from self._while_compiling(in_thread(self._set_up))
        for _ in self.traced.work():
            self._share["trace"] = self.traced.share
            yield True
        self.diverged = self.traced.diverged
        yield from self._follow()
        yield from self._while_compiling(until(self._theory))
        self._share["compile"] = 1 / (1 + len(self._compiled))
        if not len(self.traced.energies):
            return  # the energy of the start overflows: there is nothing to relax
        if self._theory.exception() is not None:
            raise RuntimeError("theory of the relaxation failed") from self._theory.exception()
        for share in self.forecast.count():
            self._share["spectrum"] = share
            yield True
        self._share["spectrum"] = 1.0
        for number, compiled in enumerate(self._compiled.values(), 2):
            yield from self._while_compiling(until(compiled))  # all of them: no solver is timed while others compile
            self._share["compile"] = number / (1 + len(self._compiled))
        for name, compiled in self._compiled.items():
            descent = self.descents[name]
            if compiled.exception() is not None:
                descent.fail()
                continue
            descent.settings = self._settings(name)
            while not descent.done:
                # A solver that finds less energy than all others continues: its own energies must not end it.
                descent.advance(0.0, self._lowest(without=name) if self.lowest_is_known else None)
                self._share["solvers"] = float(np.mean([d.share for d in self.descents.values()]))
                yield True

    def _follow(self) -> Iterator[object]:
        """The first example of the batch, for the network view."""
        found = yield from pictured(self.experiment, self.network, self.x[:1], self.y[:1], self._shades)
        self._picture = found | ({"network_example": 0.0} if found else {})

    @property
    def lowest_is_known(self) -> bool:
        """Whether the lowest energy is known: by the closed form, or by a solver that ended by itself."""
        return self._exact is not None or any(d.state in ("arrived", "stalled") for d in self.descents.values())

    @property
    def lowest(self) -> float:
        """The lowest total energy known."""
        return self._lowest()

    def _lowest(self, without: str = "") -> float:
        """`lowest`, whatever the solver `without` has found."""
        found = [self._exact] if self._exact is not None else []
        others = [d.energies for name, d in self.descents.items() if name != without]
        found += [float(np.nanmin(energies)) for energies in others if np.isfinite(energies).any()]
        found += [float(energies.sum()) for energies in self.traced.energies[-1:]]
        return min(found)

    # --- what it reports

    @property
    def inference_step(self) -> int:
        """The last recorded inference step."""
        return int(self.traced.rows[max(0, len(self.traced.energies) - 1)]) if hasattr(self, "traced") else 0

    def _values(self, bulk: bool) -> dict[str, Value]:
        if not hasattr(self, "traced"):
            return {}
        return self._numbers() | (self._arrays() if bulk else {})

    def _numbers(self) -> dict[str, Value]:
        values: dict[str, Value] = {n: v for n, v in self.forecast_values.items() if np.ndim(v) == 0}
        values["source_step"] = self.source_step
        values |= self.traced.numbers()
        known = self._exact is not None or any(d.done and d.energies for d in self.descents.values())
        if known and np.isfinite(self.lowest):
            values |= {"equilibrium_energy": self.lowest, "equilibrium_is_exact": float(self._exact is not None)}
        return values

    @property
    def why_no_spectrum(self) -> str:
        """Why there is no histogram of eigenvalues, if it is known that there will be none."""
        return self.forecast.why_no_spectrum if hasattr(self, "forecast") else ""

    @property
    def forecast_values(self) -> dict[str, Value]:
        """The channels known from theory so far."""
        ready = hasattr(self, "_theory") and self._theory.done()
        return dict(self.forecast.values) if ready else {}

    def _arrays(self) -> dict[str, Value]:
        values: dict[str, Value] = {n: v for n, v in self.forecast_values.items() if np.ndim(v)}
        count = len(self.traced.energies)
        for name in {"predicted_error", "predicted_front"} & values.keys():
            values[name] = np.asarray(values[name])[:count]
        values |= self.traced.arrays() | self._picture
        return values | self._solver_arrays()

    def _solver_arrays(self) -> dict[str, Value]:
        descents = [self.descents[name] for name in self.names]
        length = max((len(d.steps) for d in descents), default=0)
        if not length:
            return {}
        lowest = self.lowest

        def columns(pick: str) -> np.ndarray:
            made = np.full((length, len(descents)), np.nan)
            for column, descent in enumerate(descents):
                made[: len(getattr(descent, pick)), column] = getattr(descent, pick)
            return made

        sizes = [descent.settings.step_size for descent in descents]
        values: dict[str, Value] = {
            "solver_steps": columns("steps"),
            "solver_passes": columns("passes"),
            "solver_ms": 1e3 * columns("seconds"),
            "solver_excess": columns("energies") - lowest,
            "solver_arrival": np.stack([self.arrival(name) for name in self.names]),
            "solver_states": np.array([STATES.index(self.state(name)) for name in self.names]),
            "solver_sizes": np.array([float("nan") if s is None else float(s) for s in sizes]),
        }
        best = min((d for d in descents if d.energies), key=lambda d: np.nanmin(d.energies), default=None)
        settled = self.lowest_is_known or all(d.done for d in descents)
        if settled and best is not None and (profile := best.errors_at_end()) is not None:
            values["equilibrium_error"] = profile
        return values

    def arrival(self, name: str) -> np.ndarray:
        """Steps, gradient evaluations and milliseconds until the excess is within 1 % to stay; NaN: never, or no
        solver has found less energy than the start."""
        descent = self.descents[name]
        excess = np.array(descent.energies) - self.lowest
        if not len(excess) or not excess[0] > 0:
            return np.full(3, np.nan)
        outside = np.flatnonzero(~(excess <= STAYS * excess[0]))
        from_there = outside[-1] + 1 if len(outside) else 0
        inside = np.flatnonzero(excess[from_there:] <= ARRIVED * excess[0])
        if not len(inside):
            return np.full(3, np.nan)
        first = int(from_there + inside[0])
        return np.array([descent.steps[first], descent.passes[first], 1e3 * descent.seconds[first]])

    def state(self, name: str) -> str:
        """What became of a solver; one that stands still at the bottom has arrived."""
        state = self.descents[name].state
        if state in ("stalled", "budget", "arrived"):
            there = bool(np.isfinite(self.arrival(name)[0]))
            return "arrived" if there else ("stalled" if state == "arrived" else state)
        return state


JOBS = {"relax": RelaxationJob}
