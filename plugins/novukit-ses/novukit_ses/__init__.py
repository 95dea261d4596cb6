"""The plugin ``ses``: e-mail by Amazon SES. What it knows of AWS, the plugin ``sns`` uses too."""

from novukit.providers import AnyProvider, hookimpl

from .access import Aws, AwsCredentials, domain
from .provider import Ses, SesCredentials
from .signing import Keys, sign

__all__ = ["Aws", "AwsCredentials", "Keys", "Ses", "SesCredentials", "domain", "novukit_providers", "sign"]


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Ses]
