"""A Novu that misbehaves: its lists are real, its answers are sometimes not."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Novu:
    """Subscribers, topics and what goes wrong. ``faults`` are taken one by one, each by the next request.

    A fault is a status (``429``, ``500``), ``"cut"``, or None for an honest answer.
    """

    def __init__(self) -> None:
        self.people: list[Any] = []
        self.integrations: list[dict[str, Any]] = []
        self.topics: dict[str, list[str]] = {}
        self.workflows: list[str] = []
        self.preferences: dict[str, dict[str, Any]] = {}
        self.faults: list[int | str | None] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.halt_at: str | None = None
        """The cursor at which it answers no more until ``go_on``."""
        self.halted, self.go_on = threading.Event(), threading.Event()
        self.url = ""
        self._lock = threading.Lock()

    def fault(self, path: str, query: dict[str, str]) -> int | str | None:
        """What goes wrong now."""
        with self._lock:
            self.requests.append((path, query))
            return self.faults.pop(0) if self.faults else None

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """The honest answer."""
        parts = path.strip("/").split("/")
        match parts:
            case ["v1", "environments", "me"]:
                return 200, {"data": {"_id": "here", "name": "Development"}}
            case ["v1", "integrations"]:
                return 200, {"data": self.integrations}
            case ["v2", "subscribers"]:
                return self.page(self.people, query)
            case ["v2", "subscribers", who, "preferences"]:
                return 200, {"data": self.preferences.get(who, {"global": {"enabled": True, "channels": {}}})}
            case ["v2", "topics"]:
                return self.page([{"_id": key, "key": key, "name": key.title()} for key in self.topics], query)
            case ["v2", "topics", key, "subscriptions"]:
                members = [{"_id": who, "identifier": f"tk_{key}:si_{who}", "subscriber": {"subscriberId": who}}
                           for who in self.topics[key]]  # fmt: skip
                return self.page(members, query)
            case ["v2", "workflows"]:
                return 200, {"data": {"workflows": [{"workflowId": name} for name in self.workflows], "totalCount": 0}}
            case _:
                return 404, {"statusCode": 404, "timestamp": "", "path": path, "message": "Cannot GET"}

    def page(self, rows: list[Any], query: dict[str, str]) -> tuple[int, Any]:
        """A page by cursor; the cursor is the `_id` of the last row. One of a row that is gone is refused."""
        ids = [row.get("_id") if isinstance(row, dict) else None for row in rows]
        after, limit = query.get("after"), int(query["limit"])
        if after is not None and after not in ids:
            return 400, {"statusCode": 400, "timestamp": "", "path": "", "message": "Invalid cursor"}
        start = ids.index(after) + 1 if after is not None else 0
        part = rows[start : start + limit]
        last = part[-1]["_id"] if part and start + limit < len(rows) else None
        return 200, {"data": part, "next": last, "previous": after, "totalCount": len(rows), "totalCountCapped": False}


@contextmanager
def novu() -> Generator[Novu]:
    """A Novu that listens until the block ends."""
    told = Novu()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            fault = told.fault(parts.path, query)
            if told.halt_at is not None and query.get("after") == told.halt_at:
                told.halted.set()
                told.go_on.wait(60)
            match fault:
                case None:
                    self.tell(*told.answer(parts.path, query))
                case int(status):
                    self.tell(status, {"statusCode": status, "message": "no", "timestamp": "", "path": ""})
                case _:
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.wfile.write(b'{"data": [{"subscri')
                    self.close_connection = True

        def tell(self, status: int, body: Any) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(raw)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        told.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
