"""Asks the balancer beside it whether any gateway is there, for its container's health check."""
# ruff: noqa: INP001 - a script in the image, of no package

import http.client
import sys

try:
    connection = http.client.HTTPConnection("127.0.0.1", 9101, timeout=4)
    connection.request("GET", "/healthz")
    sys.exit(connection.getresponse().status != 200)
except (OSError, http.client.HTTPException) as error:
    sys.exit(f"{type(error).__name__}: {error}")
