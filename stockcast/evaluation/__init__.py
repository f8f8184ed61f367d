"""Backtests with rolling cutoffs, metrics, the Scorecard, significance tests and the promotion gate."""
