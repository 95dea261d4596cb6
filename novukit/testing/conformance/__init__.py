"""The conformance kit: what every provider must keep, as pytest classes that a plugin's test file subclasses.

::

    from novukit.testing.conformance import Answer, Documented, EmailConformance, Vendor

    class TestPost(EmailConformance):
        provider = Post
        vendor = Vendor(credentials={"api_key": "key-of-post-1"}, accepted=Answer(200, {"id": "m1"}), ...)

The provider is the real one, called as novukit calls it, over real sockets; only the vendor is played, by a local
server that answers as :class:`Vendor` describes it.
"""

from .callbacks import Callbacks, Sample, Signed
from .channels import ChatConformance, EmailConformance, PushConformance, SmsConformance
from .kit import Conformance, Result, failures, results
from .plugin import Plugin, read_plugin
from .vendor import Answer, Documented, Nowhere, Place, Request, Spelled, Vendor

__all__ = [
    "Answer", "Callbacks", "ChatConformance", "Conformance", "Documented", "EmailConformance", "Nowhere", "Place",
    "Plugin", "PushConformance", "Request", "Result", "Sample", "Signed", "SmsConformance", "Spelled", "Vendor",
    "failures", "read_plugin", "results",
]  # fmt: skip
