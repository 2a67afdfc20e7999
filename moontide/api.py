"""For the routes that plugins add to the API: who asks, and the engine that answers.

Both are annotations for the parameters of a route: `async def test(actor: Actor, engine: Engine)`.
"""

from engine.api.operations import Operations
from engine.api.routes import Actor, Engine

__all__ = ["Actor", "Engine", "Operations"]
