"""What things cost and how good forecasts are, always beside a limit or a peer in the same run."""
