"""The constants of the EWMA Student-t baseline: its fit to the training part of the bundled sample.

python -m benchmarks.ewma_constants
"""

from __future__ import annotations

from benchmarks.sample_histories import sample_histories
from stockcast.config import Config
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.ewma import DFS, SCALES, EwmaEstimator


def main() -> None:
    """Prints the fit beside the constants in force."""
    frames = sample_histories()
    pairs, _ = training_pairs(frames, split_dates(frames, Config()), Config())
    fitted = EwmaEstimator().fit(pairs)
    print("scales fitted  ", ", ".join(f"{value:.2f}" for value in fitted.scales))
    print("scales in force", ", ".join(f"{value:.2f}" for value in SCALES))
    print("dfs fitted     ", ", ".join(f"{value:.1f}" for value in fitted.dfs))
    print("dfs in force   ", ", ".join(f"{value:.1f}" for value in DFS))


if __name__ == "__main__":
    main()
