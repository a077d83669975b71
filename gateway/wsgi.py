"""The application as gunicorn's worker loads it, behind gevent's patching."""

from gateway.app import create_app
from gateway.settings import GatewaySettings

application = create_app(GatewaySettings.read())
