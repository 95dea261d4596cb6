"""``novukit completion``: the script that completes commands in a shell."""

from __future__ import annotations

import click

from .. import shape
from ..output import Output

_EXAMPLES = """
    # bash: in ~/.bashrc
    eval "$(novukit completion bash)"
    # zsh: in ~/.zshrc, after compinit
    eval "$(novukit completion zsh)"
    # fish
    novukit completion fish > ~/.config/fish/completions/novukit.fish
"""


@shape.command("completion", examples=_EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@shape.local
def command(output: Output, shell: str) -> None:
    """Print the script that completes commands in a shell."""
    from click.shell_completion import get_completion_class

    from ..entry import root

    found = get_completion_class(shell)
    assert found is not None
    made = found(root, {}, "novukit", "_NOVUKIT_COMPLETE")
    # Not `.source()`: that starts a bash to ask for its version.
    script = made.source_template % made.source_vars()
    output.show({"shell": shell, "script": script}, lambda: click.echo(script))
