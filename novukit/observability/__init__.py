"""What can be seen from outside: Prometheus metrics, OpenTelemetry spans, structured logs. Each is off until asked for.

prometheus_client and opentelemetry are loaded here and nowhere else, and only when they are used.
"""

from .logs import configure as configure_logs
from .scrape import Scrape

__all__ = ["Scrape", "configure_logs"]
