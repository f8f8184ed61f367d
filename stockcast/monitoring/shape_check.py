"""The shape check of one window, told by its one or two most unusual features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stockcast.config import DriftConfig
from stockcast.monitoring.faults import place
from stockcast.monitoring.findings import Finding, Severity
from stockcast.monitoring.quantile_grid import quantile
from stockcast.monitoring.shape import ShapeReference
from stockcast.monitoring.window_features import FEATURES, WindowFeature, measure_features, place_of
from stockcast.prices.frame import Floats
from stockcast.prices.window import PriceWindow

_TOLD = 2  # features in one finding


def check_shape(
    window: PriceWindow, reference: ShapeReference, config: DriftConfig
) -> tuple[list[Finding], list[str]]:
    """At most one finding about a window of valid closes, and what could not be judged.

    A window is called unusual when few training windows were as unusual, and when one of its features is rare by
    the tails of the reference as well. The first alone would accuse one healthy window in twenty, the second alone
    those of a market that always looks like this.
    """
    if reference.p_value(np.inf) > config.shape_amber:
        learnt = f"{reference.windows} window{'' if reference.windows == 1 else 's'}"
        return [], [f"The model has learnt from {learnt}: too few to call the shape of another unusual."]
    values = measure_features(window.closes[None, :])  # [1, F]
    rarities = reference.rarities(values)[0]  # [F]
    # Rarities that count: a single move, however large, may be news, and is no proof of a fault.
    faulty = np.where(_news(values[0], reference), 0, rarities)
    grades: tuple[tuple[Severity, Floats, float, int], ...] = (
        ("red", faulty, config.shape_red, config.shape_red_odds),
        ("amber", rarities, config.shape_amber, config.shape_amber_odds),
    )
    for severity, counted, level, least in grades:
        score = float(counted.max())
        if score >= np.log10(least) and reference.p_value(score) <= level:
            count = int(np.sum(counted >= np.log10(config.shape_amber_odds)))
            unusual = np.argsort(-counted)[: min(_TOLD, count)].tolist()
            return [_finding(window, reference, values[0], unusual, severity, least)], []
    return [], []


def _news(values: Floats, reference: ShapeReference) -> NDArray[np.bool_]:
    """Which values are large moves. [F] -> [F]"""
    return np.array(
        [
            feature.news and reference.features[feature.name].is_high(value)
            for feature, value in zip(FEATURES, values.tolist(), strict=True)
        ]
    )


def _finding(
    window: PriceWindow,
    reference: ShapeReference,
    values: Floats,
    unusual: list[int],
    severity: Severity,
    odds: float,
) -> Finding:
    """`values` [F] are the features; `unusual` are the columns that are told, the most unusual first."""
    first, value = FEATURES[unusual[0]], float(values[unusual[0]])
    measured = reference.features[first.name]
    large = [column for column in unusual if reference.features[FEATURES[column].name].is_high(values[column])]
    places = {where for column in large for where in place_of(FEATURES[column].name, window.closes)}
    return Finding(
        "shape",
        severity,
        first.name,
        value,
        measured.value_of(first, float(np.log10(odds)), high=measured.is_high(value)),
        " ".join(_sentence(window, reference, FEATURES[column], float(values[column])) for column in unusual),
        tuple(sorted(places)),
    )


def _sentence(window: PriceWindow, reference: ShapeReference, feature: WindowFeature, value: float) -> str:
    measured = reference.features[feature.name]
    high = measured.is_high(value)
    where = place_of(feature.name, window.closes) if high else ()
    at = f", {place(window, where[0])}," if where else ""
    told = {
        "largest_move": f"The largest move{at} is {value:.1f} times the typical move"
        if high
        else f"All moves are of nearly one size, the largest is {value:.1f} times the typical one",
        "move_and_back": f"A move of {value:.1f} times the typical one{at} was taken back in the next session",
        "roughness": f"The closes jump about as if they stood in the wrong order (roughness {value:.2f})",
        "next_move": f"Moves tend to {'go on' if high else 'turn round'} in the next session, with a "
        f"correlation of {value:.2f}",
        "one_way": f"The closes run one way, {value:.1f} times as far as chance takes such moves",
        "repeated_closes": f"{100 * value:.0f} % of the closes repeat the one before",
    }[feature.name]
    bound = quantile(measured.grid, 0.99 if high else 0.01)
    shown = f"{100 * bound:.0f} %" if feature.name == "repeated_closes" else f"{bound:.2g}"
    return f"{told}; 99 % of the training windows stay {'below' if high else 'above'} {shown}."
