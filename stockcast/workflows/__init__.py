"""One verb, one file: what the faces can ask for."""
