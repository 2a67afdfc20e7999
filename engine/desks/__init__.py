"""What the API may ask of a running engine, a desk for each subject."""
