"""What plugins bring: hooks, finding and checking plugins, and what the engine does with each kind."""
