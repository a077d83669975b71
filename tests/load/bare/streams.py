"""`python -m tests.load.bare.streams PORT`: what sends the same bytes to many open sockets, in a loop and nothing else.

A GET is answered by an event stream that has begun; a POST sends an event as long as a message's to all of them.
"""

import select
import socket
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


def chunk(content: bytes) -> bytes:
    """A chunk of HTTP/1.1."""
    return b"%x\r\n%b\r\n" % (len(content), content)


READY = HEAD + chunk(b'id: 1-0\nevent: stream.ready\ndata: {"position":"1-0"}\n\n')
EVENT = chunk(b"id: 1-1\nevent: message.created\ndata: " + b"x" * 400 + b"\n\n")


def main(port: str) -> None:
    """Serve for ever."""
    listening = socket.create_server(("127.0.0.1", int(port)), backlog=4_096)
    epoll = select.epoll()
    epoll.register(listening, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    streams: dict[int, socket.socket] = {}
    while True:
        for descriptor, _ in epoll.poll():
            if descriptor == listening.fileno():
                client, _ = listening.accept()
                clients[client.fileno()] = client
                epoll.register(client, select.EPOLLIN)
                continue
            asked = clients[descriptor].recv(65_536)
            if not asked:
                epoll.unregister(descriptor)
                streams.pop(descriptor, None)
                clients.pop(descriptor).close()
            elif asked.startswith(b"GET"):
                streams[descriptor] = clients[descriptor]
                clients[descriptor].send(READY)
            else:
                clients[descriptor].send(DONE)
                for stream in streams.values():
                    stream.send(EVENT)


if __name__ == "__main__":
    main(sys.argv[1])
