"""`make words`: brings every catalogue up to date with the code, and says what waits for a translation."""

from __future__ import annotations

from translations.messages import languages, updated, write


def main() -> None:
    """Rewrites the catalogues in place; what is translated stays, what is no longer said goes."""
    for language in languages():
        catalogue, missing = updated(language)
        write(language, catalogue)
        print(f"{language}: {len(catalogue)} messages, {len(missing)} without a translation")
        for message in missing:
            print(f"  {message}")


if __name__ == "__main__":
    main()
