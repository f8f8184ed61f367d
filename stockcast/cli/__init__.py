"""The command line: the same workspace as the pages, for people in a terminal and for scripts (`--json`)."""
