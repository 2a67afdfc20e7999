"""A plugin that answers no hook."""
