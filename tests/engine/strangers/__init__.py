"""Plugins as strangers might write them, good and bad."""
