"""A walk for each screen, dialog and part of one that declares keys: it presses each of them.

`test_keys.py` takes every walk, and fails for keys that were declared and not pressed.
"""
