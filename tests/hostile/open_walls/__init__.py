"""A build whose walls are off, to show that the campaign sees it when one falls.

`open_engine.py` is the `moontide` command with another zygote, `open_zygote.py`. Nothing in the engine leads
here: no setting, no variable, no option.
"""
