"""Keeps the catalogues of the pages' languages up to date with the code; for developers, not installed."""
