"""For executors that carry runs out in another process: the same runner and sandbox, apart from an engine."""

from engine.elsewhere import OwnRunner, open_runner

__all__ = ["OwnRunner", "open_runner"]
