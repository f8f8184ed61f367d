"""`make bench`: every benchmark that needs nothing but the bundled sample, one after another."""

from __future__ import annotations

import runpy

for name in ("ewma_constants", "training_cost", "serving_cost"):
    print(f"\n== {name}")
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")
