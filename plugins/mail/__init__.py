"""The parts of core.email: addresses, the message, and its way to the server."""
