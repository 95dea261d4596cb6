"""All commands: their names and one-line helps, so that ``novukit --help`` need not import any of them."""

from __future__ import annotations

INDEX: dict[str, dict[str, str]] = {
    "Begin": {
        "init": "Start a project in a folder.",
        "new": "Start a plugin of your own.",
        "dev": "Run server and worker here, and again whenever a file changes.",
        "trigger": "Ask for a workflow to run for one or more recipients.",
    },
    "Look": {
        "executions": "What ran, for whom, and why it ended as it did.",
        "workflows": "The workflows of an environment.",
        "plugins": "List the providers that are installed.",
        "providers": "What each provider can do, by channel.",
        "doctor": "Check configuration, database, broker, workflows and workers.",
    },
    "Keep": {
        "subscribers": "Whom notifications are for.",
        "topics": "Named groups of subscribers.",
        "inbox": "Inboxes in browsers: the hash that opens one, and the end of all sessions.",
        "integrations": "Providers with their credentials.",
        "suppressions": "Addresses that are not written to any more.",
        "environments": "The walled parts of the organization.",
        "variables": "Values that workflows and templates read, one set for each environment.",
        "translations": "Texts in the languages of the subscribers, as files.",
        "keys": "Secret keys, and the master key.",
        "webpush": "Key pair and service worker for push to browsers.",
    },
    "Operate": {
        "sync": "Make an environment hold the workflows that the code declares.",
        "server": "Serve the API.",
        "worker": "Run executions until told to stop.",
        "db": "Create and upgrade the database's tables.",
        "import": "Move here from another server.",
        "prune": "Delete what ended long ago.",
        "completion": "Print the script that completes commands in a shell.",
    },
}


def summary(name: str) -> str:
    """The one-line help of a command."""
    return next(commands[name] for commands in INDEX.values() if name in commands)


def names() -> list[str]:
    """The commands in the order of their sections."""
    return [name for commands in INDEX.values() for name in commands]
