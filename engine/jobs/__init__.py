"""Job files: their settings, how they are read, judged and rewritten."""
