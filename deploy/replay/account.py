"""A signed-in user of the API: the admin's or an agent's tokens, renewed when they run out."""

import threading
from collections.abc import Mapping
from typing import Any

from deploy.replay.client import Clock, Gateway
from deploy.replay.errors import Refused

# One renewal is enough when only time has passed; a session may also be revoked while a call is being repeated.
_RENEWALS = 3


class Account:
    """One user's session; safe to share between threads."""

    def __init__(self, gateway: Gateway, email: str, password: str) -> None:
        self.gateway = gateway
        self.email = email
        self.access_token = ""
        self.agent: dict[str, Any] = {}
        self._password = password
        self._refresh_token = ""
        self._lock = threading.Lock()

    def sign_in(self, timeout: float | None = None) -> None:
        """Get the first tokens. Raises Refused for wrong credentials."""
        body = {"email": self.email, "password": self._password}
        self._accept(self.gateway.call("POST", "/v1/auth/token", body, timeout=timeout))

    def on(self, gateway: Gateway) -> "Account":
        """The same session through another gateway client."""
        twin = Account(gateway, self.email, self._password)
        twin.agent, twin.access_token, twin._refresh_token = self.agent, self.access_token, self._refresh_token
        return twin

    def renew(self, stale: str) -> None:
        """Replace the token that was refused, once for all who were refused with it."""
        with self._lock:
            if self.access_token != stale:
                return
            try:
                self._accept(self.gateway.call("POST", "/v1/auth/refresh", {"refresh_token": self._refresh_token}))
            except Refused:
                # A refresh whose answer was lost has used the token up, and its session is gone: sign in anew.
                self.sign_in()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> Any:
        """Like Gateway.call, signed in; a token that has run out is renewed."""
        for _ in range(_RENEWALS):
            token = self.access_token
            try:
                return self.gateway.call(method, path, body, token=token, headers=headers, clock=clock)
            except Refused as refusal:
                if refusal.status != 401:
                    raise
            self.renew(token)
        return self.gateway.call(method, path, body, token=self.access_token, headers=headers, clock=clock)

    def _accept(self, answer: Any) -> None:
        try:
            self.agent, self._refresh_token = answer["agent"], answer["refresh_token"]
            self.access_token = answer["access_token"]
        except (KeyError, TypeError):
            raise Refused(200, "NO_TOKENS", "the answer holds no tokens; is this a Foyer gateway?") from None
