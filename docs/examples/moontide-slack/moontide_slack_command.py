"""What people ask of the plugin: `moontide slack test` and `moontide slack failing`."""

from typing import Annotated

import typer

from moontide.cli import place_of, print_json


def make_command() -> typer.Typer:
    """Return the commands, which ask the routes of the running engine."""
    app = typer.Typer(no_args_is_help=True, help="The Slack channel of this engine.")
    app.command("test")(post_test)
    app.command()(failing)
    return app


def post_test(
    context: typer.Context, text: Annotated[str | None, typer.Argument(help="What is posted.")] = None
) -> None:
    """Post a message to the channel, to see whether it arrives."""
    with place_of(context).client() as client:
        client.plugin("slack", "test", method="POST", body={"text": text})
    print("posted")


def failing(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the jobs whose failure the channel was told of."""
    with place_of(context).client() as client:
        names = client.plugin("slack", "failing")
    if as_json:
        print_json(names)
    else:
        print("\n".join(names) or "no job fails")
