"""Ongoing problems of jobs: finding them, keeping them and telling of them."""
