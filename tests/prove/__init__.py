"""`make prove`: the promises tried for long, as programs that anyone can run.

A *proof* is a name and a function that tries something and says what it found. To add some, write a module
with `proofs()` and list it in `MODULES` of `__main__.py`.
"""
