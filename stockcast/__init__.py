"""stockcast: honest stock price forecasts, each beside the naive forecast it has to beat."""

__version__ = "0.1.0"
