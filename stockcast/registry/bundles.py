"""Bundles of registered versions: stored as a run's artifact, fetched once, verified at every load."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from stockcast.errors import CorruptBundle
from stockcast.forecasting.bundle import Bundle, read_bundle, write_bundle
from stockcast.home_files import make_folder
from stockcast.registry.tracking_server import TrackingServer
from stockcast.registry.versions import ModelVersion


class Bundles:
    """Fetches the bundle of a version into a local cache."""

    def __init__(self, server: TrackingServer, cache: Path) -> None:
        self.server = server
        self.cache = cache

    def load(self, version: ModelVersion) -> Bundle:
        """The verified bundle of a version. Raises CorruptBundle or RegistryUnavailable.

        A damaged copy in the cache is fetched anew; a damaged original is refused.
        """
        folder = self.cache / version.name / version.run_id
        if folder.is_dir():
            try:
                return read_bundle(folder)
            except CorruptBundle:
                shutil.rmtree(folder, ignore_errors=True)
        bundle = self._fetch(version)
        # The copy only saves time: somebody else may just have made it, or the disk may be full.
        with contextlib.suppress(OSError, CorruptBundle):
            write_bundle(bundle, folder)
        return bundle

    def _fetch(self, version: ModelVersion) -> Bundle:
        with tempfile.TemporaryDirectory(dir=make_folder(self.cache)) as temporary:
            with self.server.told("fetching a bundle") as client:
                if not client.list_artifacts(version.run_id, "bundle"):
                    raise CorruptBundle(
                        f"The bundle of {version.label} is not in MLflow's store any more.",
                        "Promote another version, or train again.",
                    )
                found = client.download_artifacts(version.run_id, "bundle", temporary)
            return read_bundle(Path(found))
