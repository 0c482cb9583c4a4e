"""The peer of soap behind an ASGI server: its WSGI application in a2wsgi's pool of threads."""

from a2wsgi import WSGIMiddleware

from bench.peers.soap_spyne import application as wsgi

application = WSGIMiddleware(wsgi, workers=4)
