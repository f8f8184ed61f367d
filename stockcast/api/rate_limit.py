"""How many requests a second a key may make: a bucket of tokens each."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 10_000  # buckets; whoever asked longest ago is forgotten


class RateLimit:
    """`rate` requests a second, and as many at once as fit into a second."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._burst = max(1.0, rate)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, since when

    def wait(self, who: str) -> float:
        """Seconds to wait; 0 lets the request in and takes a token."""
        if not self.rate:
            return 0.0
        now = self._clock()
        tokens, since = self._buckets.pop(who, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self.rate)
        enough = tokens >= 1
        self._buckets[who] = (tokens - 1 if enough else tokens, now)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return 0.0 if enough else (1 - tokens) / self.rate
