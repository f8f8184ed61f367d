"""`python -m stockcast` is the `stockcast` command."""

from stockcast.cli.application import main

if __name__ == "__main__":
    main()
