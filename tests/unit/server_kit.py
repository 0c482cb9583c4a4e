"""A served application in a process of its own, and the bytes to speak with it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys

STAND = """
import asyncio, json, sys
from gateway import logs, server
from gateway.access.proxies import Proxies
from gateway.connection import GuardedProtocol

logs.configure("error")

options = json.loads(sys.argv[1])
for name, value in options.get("protocol", {}).items():
    setattr(GuardedProtocol, name, value)
GuardedProtocol.proxies = Proxies(*options.get("proxies", ()))

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    path, size = scope["path"], 0
    if path == "/late":
        await asyncio.sleep(0.5)
    if path == "/refuse":
        status = 401
    else:
        status = 200
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                print("gone", flush=True)
                return
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
    if path == "/slow":
        await asyncio.sleep(1)
    if path == "/late":
        print("late", size, flush=True)
    body = json.dumps({
        "path": path, "size": size, "headers": len(scope["headers"]), "client": scope["client"][0],
        "scheme": scope["scheme"],
        "names": [name.decode() for name, _ in scope["headers"]],
        "tls": bool(scope.get("extensions", {}).get("tls", {}).get("client_cert_chain")),
    }).encode()
    if path == "/large":
        body = bytes(16_000_000)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

bound = server.listen("127.0.0.1", 0)
port = bound.getsockname()[1]
tls = server.tls_options(*options["tls"]) if "tls" in options else None
server.run(app, bound, tls=tls, ready=lambda: print(port, flush=True))
"""


class Stand:
    """A server in a process of its own, with an application that says what it got."""

    def __init__(self, **options):
        self.process = subprocess.Popen(
            [sys.executable, "-c", STAND, json.dumps(options)], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())

    def connect(self):
        made = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def said(self):
        return self.process.stdout.readline().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


def read_all(connection):
    """Everything until the server closes."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data


def read_answer(connection):
    """One answer with Content-Length: its status and body."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(1)
        assert piece, head
        head += piece
    lines = head.decode().split("\r\n")
    named = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    body = b""
    while missing := int(named.get("content-length", 0)) - len(body):
        body += connection.recv(missing)
    return int(lines[0].split()[1]), named, body


def ask(stand, data):
    with stand.connect() as connection:
        connection.sendall(data)
        return read_answer(connection)


def get(path="/", *headers):
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: gateway", *headers, "", "")).encode()


def post(size, path="/", *headers):
    first = (f"POST {path} HTTP/1.1", "Host: gateway", f"Content-Length: {size}", *headers, "", "")
    return "\r\n".join(first).encode()
