"""API keys: two scopes, compared in constant time; as many valid at once as a rotation needs.

Some stand in the environment. The others are made and taken back in the database, which `key_watch` looks at; a
request only ever reads what is in memory.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Literal

from stockcast.access_keys import AccessKey, digest_of, logged_as
from stockcast.errors import InvalidConfig
from stockcast.settings import Settings

Scope = Literal["open", "predict", "admin"]
SHORTEST = 16  # characters; a key is not a word


class Keys:
    """Knows keys by their sha256 alone."""

    def __init__(self, predict: Iterable[str], admin: Iterable[str]) -> None:
        self._given = (tuple(map(digest_of, predict)), tuple(map(digest_of, admin)))
        self._known = self._given
        self._asks = any(self._given)

    @staticmethod
    def of(settings: Settings) -> Keys:
        """Those of the environment. Raises InvalidConfig for a key that is too short."""
        predict = settings.api_keys.get_secret_value().split()
        admin = settings.api_admin_keys.get_secret_value().split()
        if any(len(key) < SHORTEST for key in (*predict, *admin)):
            raise InvalidConfig(
                f"An API key has fewer than {SHORTEST} characters.", "Make one with: openssl rand -hex 24"
            )
        return Keys(predict, admin)

    @property
    def any(self) -> bool:
        """Whether a key is asked for at all; without one the API listens to this machine alone.

        Once one is asked for, one always is: taking keys away never opens anything.
        """
        return self._asks

    def learn(self, kept: Iterable[AccessKey]) -> None:
        """From now on these are the keys of the database, revoked ones among them."""
        kept = tuple(kept)
        live = [(each.scope, bytes.fromhex(each.digest)) for each in kept if each.live]
        predict, admin = (
            (*given, *(digest for scope, digest in live if scope == name))
            for given, name in zip(self._given, ("predict", "admin"), strict=True)
        )
        self._known = (predict, admin)  # one assignment: a request sees the old keys or the new ones
        self._asks = self._asks or bool(kept)

    def scope_of(self, key: str | None) -> tuple[Scope, str]:
        """What a key may do, and a name for whoever holds it that tells nothing of the key."""
        if not self._asks:
            return "admin", ""
        if not key:
            return "open", ""
        digest = digest_of(key)
        # Every key is compared, whatever the first ones say.
        predict, admin = (
            sum([hmac.compare_digest(digest, known) for known in digests]) for digests in self._known
        )
        return "admin" if admin else "predict" if predict else "open", logged_as(digest)
