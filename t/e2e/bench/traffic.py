"""A process of its own that sends one request after the other on one connection, and measures.

    python traffic.py PORT PATH SECONDS [COOKIE]    prints the delays in seconds as a JSON list
"""

import json
import socket
import sys
import time


def answer(stream) -> int:
    """Reads one response with a Content-Length; returns its status."""
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    stream.read(length)
    return status


def main(port: str, path: str, seconds: str, cookie: str = "") -> None:
    line = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n"
            f"Cookie: {cookie}\r\n\r\n").encode()
    delays = []
    with socket.create_connection(("127.0.0.1", int(port)), timeout=30) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = sock.makefile("rb")
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            start = time.monotonic()
            sock.sendall(line)
            status = answer(stream)
            delays.append(time.monotonic() - start)
            if status != 200:
                sys.exit(f"status {status} after {len(delays)} requests")
            time.sleep(0.0005)  # measures, and is no load of its own
    print(json.dumps(delays))


if __name__ == "__main__":
    main(*sys.argv[1:])
