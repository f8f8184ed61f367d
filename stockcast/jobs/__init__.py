"""Long work outside the page: the job table is the truth, whatever runs the job."""
