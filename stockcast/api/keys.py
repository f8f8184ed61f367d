"""API keys: two scopes, compared in constant time, two valid at once while they are changed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Literal

from stockcast.errors import InvalidConfig
from stockcast.settings import Settings

Scope = Literal["open", "predict", "admin"]
SHORTEST = 16  # characters; a key is not a word


class Keys:
    """Knows keys by their sha256 alone."""

    def __init__(self, predict: Iterable[str], admin: Iterable[str]) -> None:
        self._predict = tuple(map(_digest, predict))
        self._admin = tuple(map(_digest, admin))

    @staticmethod
    def of(settings: Settings) -> Keys:
        """Raises InvalidConfig for a key that is too short."""
        predict = settings.api_keys.get_secret_value().split()
        admin = settings.api_admin_keys.get_secret_value().split()
        if any(len(key) < SHORTEST for key in (*predict, *admin)):
            raise InvalidConfig(
                f"An API key has fewer than {SHORTEST} characters.", "Make one with: openssl rand -hex 24"
            )
        return Keys(predict, admin)

    @property
    def any(self) -> bool:
        """Whether a key is asked for at all; without one the API listens to this machine alone."""
        return bool(self._predict or self._admin)

    def scope_of(self, key: str | None) -> tuple[Scope, str]:
        """What a key may do, and a name for whoever holds it that tells nothing of the key."""
        if not self.any:
            return "admin", ""
        if not key:
            return "open", ""
        digest = _digest(key)
        # Every key is compared, whatever the first ones say.
        admin = sum([hmac.compare_digest(digest, known) for known in self._admin])
        predict = sum([hmac.compare_digest(digest, known) for known in self._predict])
        return "admin" if admin else "predict" if predict else "open", digest.hex()[:8]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()
