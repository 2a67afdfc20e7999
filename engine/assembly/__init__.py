"""The parts of an engine, made and given each other; `engine.service` starts and stops them."""
