"""Keys of the API that people make and take back: the database keeps their sha256, never the keys.

A revoked key stays in the table. So it can be told who had one, and taking the last key back closes the API rather
than opening it to everybody.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, insert, select, update

from stockcast.database import Database, utc
from stockcast.errors import InvalidRequest
from stockcast.tables import api_keys

KeyScope = Literal["predict", "admin"]

LONGEST_LABEL = 60
_BYTES = 24  # of chance: nobody guesses one, so that a plain sha256 keeps it
_SHOWN = 6  # first characters that are kept readable; 21 bytes remain unknown


@dataclass(frozen=True)
class AccessKey:
    """What is known of a key. Moments are aware, in UTC."""

    id: int
    label: str
    scope: KeyScope
    digest: str  # sha256, in hexadecimal
    start: str  # its first characters
    created_at: datetime
    revoked_at: datetime | None

    @property
    def live(self) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None

    @property
    def logged_as(self) -> str:
        """How the access log names whoever uses it."""
        return logged_as(bytes.fromhex(self.digest))


@dataclass(frozen=True)
class CreatedKey:
    """A key that was made just now: the only moment at which its secret is known."""

    key: AccessKey
    secret: str = field(repr=False)


class AccessKeys:
    """All keys there ever were, in the one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> tuple[AccessKey, ...]:
        """The newest first, revoked ones too."""
        with self._database.read() as connection:
            return tuple(_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.id.desc())))

    def create(self, label: str, scope: KeyScope, now: datetime) -> CreatedKey:
        """Makes a key. Raises InvalidRequest for a label that names nobody."""
        label = " ".join(label.split())
        if not 1 <= len(label) <= LONGEST_LABEL or not label.isprintable():
            raise InvalidRequest(
                f"A key needs a label of 1 to {LONGEST_LABEL} characters.", "Name the program that will use it."
            )
        secret = secrets.token_hex(_BYTES)
        with self._database.write() as connection:
            made = connection.execute(
                insert(api_keys).returning(api_keys),
                {
                    "label": label,
                    "scope": scope,
                    "digest": digest_of(secret).hex(),
                    "start": secret[:_SHOWN],
                    "created_at": now,
                },
            )
            return CreatedKey(_key(made.one()), secret)

    def revoke(self, key_id: int, now: datetime) -> AccessKey:
        """Takes a key back, for good; one that was revoked before stays as it was. Raises InvalidRequest."""
        one = api_keys.c.id == key_id
        with self._database.write() as connection:
            connection.execute(update(api_keys).where(one, api_keys.c.revoked_at.is_(None)).values(revoked_at=now))
            found = connection.execute(select(api_keys).where(one)).one_or_none()
        if found is None:
            raise InvalidRequest(f"There is no key {key_id}.", "List them with: stockcast keys list")
        return _key(found)


def digest_of(secret: str) -> bytes:
    """By which a key is known."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def logged_as(digest: bytes) -> str:
    """A name for the holder of a key that tells nothing of it."""
    return digest.hex()[:8]


def _key(row: Row[Any]) -> AccessKey:
    return AccessKey(
        row.id, row.label, row.scope, row.digest, row.start, utc(row.created_at),
        None if row.revoked_at is None else utc(row.revoked_at),
    )  # fmt: skip
