"""Whether the input still looks like what the champion was judged on, and the journal of what was said."""
