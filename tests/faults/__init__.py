"""Faults: an engine under load is struck again and again, and an independent checker says what became of it.

- `scene.py` has the engine, the load and what was asked for (`orders.py`).
- `witness.py` is a process outside of the engine that the jobs themselves tell of their starts and ends.
- `checker.py` compares both with the database, which `records.py` reads without any code of the engine.
- The other modules strike; `tests/prove/faults.py` does for long what the tests here do in short.
"""
