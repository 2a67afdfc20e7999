"""A build whose walls are off, to show that the campaign sees it when one falls.

`open_engine.py` is the `moontide` command with another zygote, `open_zygote.py`, and without the checks that
the modules named `open_...` take away. Nothing in the engine leads here: no setting, no variable, no option.

A wall falls by putting something careless in its place: what a program does that nobody has thought about.
Where the name that is replaced is gone, starting this build fails, rather than leaving a wall up unseen.
"""
