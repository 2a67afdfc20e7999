"""The engine's own front door: SSH to the dashboard, and to nothing else."""
