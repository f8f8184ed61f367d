"""What this process tells Prometheus, beside what every process reads from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from stockcast.api.champions import Champions
from stockcast.monitoring.journal_spool import JournalSpool

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
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
        self._seconds = Histogram(
            "stockcast_api_request_duration_seconds",
            FAMILIES["stockcast_api_request_duration_seconds"],
            ("route", "method"),
            buckets=BUCKETS,
            registry=None,
        )
        self._requests = Counter(
            "stockcast_api_requests",
            FAMILIES["stockcast_api_requests_total"],
            ("route", "method", "status"),
            registry=None,
        )
        self._known: dict[tuple[str, str, int], tuple[Histogram, Counter]] = {}
        self.champions: Champions | None = None
        self.spool: JournalSpool | None = None
        self.predictions: Callable[[], int] = lambda: 0
        self.degraded: Callable[[], bool] = lambda: False

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts an answered request."""
        key = (route, method, status)
        if key not in self._known:
            if len(self._known) > 1000:
                return
            named = method if method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH") else "other"
            self._known[key] = (
                self._seconds.labels(route, named),
                self._requests.labels(route, named, str(status)),
            )
        histogram, counter = self._known[key]
        histogram.observe(seconds)
        counter.inc()

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering reads nothing."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from self._seconds.collect()
        yield from self._requests.collect()
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


def _gauge(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, FAMILIES[name], value=value)
