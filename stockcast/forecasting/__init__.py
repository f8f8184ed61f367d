"""Contexts in, quantile forecasts out: returns, features, baselines, the LSTM and the model bundle.

Shape legend, used by every comment in this room:
    T sessions of a history, N contexts, L lookback (closes of a context), F features, H horizons, Q levels
"""
