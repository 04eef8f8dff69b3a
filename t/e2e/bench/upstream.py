"""The protected application: it echoes what it received as JSON."""

import json

from .http_server import Answer, HttpServer, Request


class Upstream(HttpServer):
    def __init__(self, port: int = 0):
        self.answers: dict = {}  # by exact path: an Answer, or a function of the request
        super().__init__(port)

    def respond(self, request: Request) -> Answer:
        if request.path in self.answers:
            answer = self.answers[request.path]
            return answer(request) if callable(answer) else answer
        echo = {
            "upstream": True,
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            "body": request.body.decode("latin-1"),
        }
        return Answer(body=json.dumps(echo, indent=1).encode(), headers=(("X-Upstream", "yes"),))


class Echo:
    """What the upstream received, read from its answer."""

    def __init__(self, body: bytes):
        data = json.loads(body)
        assert data["upstream"] is True
        self.method, self.target, self.body = data["method"], data["target"], data["body"]
        self.headers = [(n, v) for n, v in data["headers"]]

    def all(self, name: str) -> list[str]:
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def bearer(self) -> str | None:
        value = self.header("Authorization")
        return value[7:] if value and value.startswith("Bearer ") else None
