"""What can be done to engines and workers: let one end, and take one off the list."""

from __future__ import annotations

from collections.abc import Sequence

from engine.states import NodeKind, NodeState
from engine.views import NodeView
from tui.facts.nodelists import is_there
from tui.page import Page
from tui.widgets.dialogs import YES, Confirm


async def drain(page: Page, node: NodeView, nodes: Sequence[NodeView]) -> None:
    """Let a node take nothing new, come to the end of what it does, and end; after asking.

    Args:
        nodes: all that are known, as somebody has to go on with its work.
    """
    if not is_there(node):
        page.warn(f"{node.name} is {node.state}; only a node that is there can be drained")
    elif node.drain:
        page.warn(f"{node.name} was asked to already")
    elif page.can_act():
        message = (
            "It takes nothing new, comes to the end of what it does, and ends with code 0.\n\n"
            f"{_afterwards(node, nodes)}"
        )
        if await page.app.push_screen_wait(Confirm(f"Drain {node.name}?", message, "Drain")) == YES:
            async with page.telling():
                await page.client.nodes.drain(node.name)
                page.say(f"{node.name} takes nothing new, and ends")


def _afterwards(node: NodeView, nodes: Sequence[NodeView]) -> str:
    others = [one for one in nodes if one is not node and is_there(one) and not one.drain]
    if node.kind == NodeKind.WORKER:
        if any(one.kind == NodeKind.WORKER for one in others):
            return "Other workers go on."
        return "No other worker is there: runs wait until one is started."
    if node.state != NodeState.LEADING:
        return "The engine that leads goes on; this one is not there to take over."
    if any(one.state == NodeState.STANDBY for one in others):
        return "It leads: an engine that stands by takes over."
    return "No engine stands by: no job runs until an engine is started again."


async def forget(page: Page, node: NodeView) -> None:
    """Take a node off the list that is gone for good; after asking."""
    if is_there(node):
        page.warn(f"{node.name} is {node.state}; only a node that is gone or silent can be forgotten")
    elif page.can_act():
        message = "It is taken off the list. If it comes back, it is listed again."
        if await page.app.push_screen_wait(Confirm(f"Forget {node.name}?", message, "Forget")) == YES:
            async with page.telling():
                await page.client.nodes.forget(node.name)
                page.say(f"{node.name} is off the list")
