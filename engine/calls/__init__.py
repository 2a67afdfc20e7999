"""What a job's code may ask of the engine: core functions, their arguments, permissions and limits."""
