"""What this process tells Prometheus, beside what every process reads from the database."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from stockcast.api.champions import Champions
from stockcast.monitoring.journal_spool import JournalSpool

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
_ENDS = (*map(str, BUCKETS), "+Inf")
_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})
FAMILIES = {
    "stockcast_api_request_duration_seconds": "Seconds from a request's head to its answer, by route and method.",
    "stockcast_api_requests_total": "Answered requests by route, method and status.",
    "stockcast_api_requests_in_flight": "Requests that are worked at just now.",
    "stockcast_api_predictions_total": "Windows that were forecast by this process.",
    "stockcast_api_reloads_total": "Versions that were swapped in after the first, and those refused, by outcome.",
    "stockcast_api_journal_queue_length": "Forecasts on their way into the journal.",
    "stockcast_api_degraded": "1 while something is amiss that /health tells in words, else 0.",
    "stockcast_api_model_info": "The version that answers for a universe.",
}


class ApiMetrics(Collector):
    """Counts requests, and reads the rest where it is."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.registry = CollectorRegistry()
        # Counted by hand: prometheus_client's own counters take ten times as long, which is felt here.
        self._answered: Counter[tuple[str, str, int]] = Counter()
        self._buckets: dict[tuple[str, str], list[int]] = {}
        self._seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.champions: Champions | None = None
        self.spool: JournalSpool | None = None
        self.predictions: Callable[[], int] = lambda: 0
        self.degraded: Callable[[], bool] = lambda: False

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts an answered request."""
        key = (route, method if method in _METHODS else "other")
        self._answered[*key, status] += 1
        if key not in self._buckets:
            self._buckets[key] = [0] * (len(BUCKETS) + 1)
        self._buckets[key][bisect_left(BUCKETS, seconds)] += 1
        self._seconds[key] += seconds

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering reads nothing."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from self._requests()
        yield _gauge("stockcast_api_requests_in_flight", self.in_flight)
        predictions = CounterMetricFamily(
            "stockcast_api_predictions", FAMILIES["stockcast_api_predictions_total"], value=self.predictions()
        )
        yield predictions
        if self.champions is not None:
            reloads = CounterMetricFamily(
                "stockcast_api_reloads", FAMILIES["stockcast_api_reloads_total"], labels=("outcome",)
            )
            reloads.add_metric(("swapped",), self.champions.reloads)
            reloads.add_metric(("refused",), self.champions.failed_reloads)
            yield reloads
            models = InfoMetricFamily(
                "stockcast_api_model", FAMILIES["stockcast_api_model_info"], labels=("universe",)
            )
            for universe, champion in self.champions.all().items():
                version = champion.version
                told = {"model": version.name, "version": version.version, "kind": version.kind,
                        "run_id": version.run_id}  # fmt: skip
                models.add_metric((universe,), told)
            yield models
        if self.spool is not None:
            yield _gauge("stockcast_api_journal_queue_length", self.spool.length)
        yield _gauge("stockcast_api_degraded", float(self.degraded()))

    def _requests(self) -> Iterator[Metric]:
        took = HistogramMetricFamily(
            "stockcast_api_request_duration_seconds",
            FAMILIES["stockcast_api_request_duration_seconds"],
            labels=("route", "method"),
        )
        for key, counts in list(self._buckets.items()):
            upto = zip(_ENDS, accumulate(counts), strict=True)
            took.add_metric(key, list(upto), self._seconds[key])
        yield took
        answered = CounterMetricFamily(
            "stockcast_api_requests",
            FAMILIES["stockcast_api_requests_total"],
            labels=("route", "method", "status"),
        )
        for (route, method, status), count in list(self._answered.items()):
            answered.add_metric((route, method, str(status)), count)
        yield answered


def _gauge(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, FAMILIES[name], value=value)
