"""The HTTP gateway: the public API, the event streams and the pages, in front of the four services."""
