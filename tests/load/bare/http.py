"""Flask behind gunicorn's gevent worker, as the gateway is, that answers a request with its own body."""

from flask import Flask, Response, jsonify, request

# gunicorn's settings, the gateway's own.
OPTIONS = ("-k", "gevent", "-w", "1", "--worker-connections", "20000", "--backlog", "4096", "--keep-alive", "75")

application = Flask(__name__)


@application.route("/echo", methods=["POST"])
def echo() -> Response:
    """Decode the JSON and encode it again."""
    return jsonify(request.get_json())
