"""Loads a registered version with all that it needs to speak."""

from __future__ import annotations

from stockcast.config import Config
from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.bundle import Bundle
from stockcast.forecasting.unpack import unpack
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.registry.bundles import Bundles
from stockcast.registry.versions import ModelVersion
from stockcast.workflows.forecast import Speaker


def load_speaker(version: ModelVersion, bundles: Bundles, threads: int) -> Speaker:
    """From its bundle, verified. Raises CorruptBundle or RegistryUnavailable."""
    return speaker_of(version, bundles.load(version), threads)


def speaker_of(version: ModelVersion, bundle: Bundle, threads: int) -> Speaker:
    """From a bundle that is at hand. Raises CorruptBundle when this program cannot read it."""
    manifest = bundle.manifest
    return Speaker(
        version,
        unpack(bundle, threads),
        Scorecard.from_json(dict(manifest.scorecard)) if manifest.scorecard else None,
        DriftReference.from_json(manifest.drift_reference) if manifest.drift_reference else None,
        Config.model_validate(manifest.config),
    )
