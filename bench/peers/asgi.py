"""The peer behind an ASGI server: spyne's WSGI application in a2wsgi's pool of threads."""

from a2wsgi import WSGIMiddleware

from bench.peers.spyne_orm import application as wsgi

application = WSGIMiddleware(wsgi, workers=16)
