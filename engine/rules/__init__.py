"""What becomes of jobs and runs, as pure functions of their arguments: to be read as the specification."""
