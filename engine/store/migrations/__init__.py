"""The schema's history, one file for each revision in `versions/`."""

#: The newest revision there is.
HEAD = "0021"
