"""The parts of core.template: the processes that render, and what runs in them."""
