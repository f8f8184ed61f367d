"""MLflow: runs with their curves and scorecards, model versions with champion and challenger."""
