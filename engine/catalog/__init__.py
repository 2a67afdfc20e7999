"""The jobs folder as the engine knows it: what each file is, and what a reload makes of each job."""
