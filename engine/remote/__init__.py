"""Runs carried to workers on other machines: the engine that hands them over, and the worker."""
