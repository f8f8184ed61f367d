"""What a valid daily bar is, when exchanges trade, where prices come from and where they are kept."""
