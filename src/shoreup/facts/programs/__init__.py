"""Programs that the estate runs: where they stand, what a run of one starts, what it waits for and fetches."""
