"""The HTTP API for programs: the same forecasts as the pages, over the same workspace."""
