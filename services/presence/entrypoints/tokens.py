"""Stream tickets and API tokens over RPC."""

from typing import Any

from services.common.ids import new_id
from services.common.rpc import rpc
from services.common.times import now
from services.presence import domain, errors, schemas, tokens
from services.presence.credential_store import MAX_API_TOKENS
from services.presence.entrypoints.means import Means
from services.presence.views import api_token_view

Wire = dict[str, Any]


class TokenMethods(Means):
    """Make and take tickets; make, list, revoke and verify API tokens."""

    @rpc(schemas.CreateStreamTicket)
    def create_stream_ticket(self, *, subject: Wire) -> Wire:
        """`{ticket, expires_in}`: a secret that may stand in a URL, good once and for 30 s."""
        ticket = tokens.new_ticket()
        self.store.insert_ticket(tokens.digest(ticket), subject, now() + tokens.TICKET_LIFE)
        return {"ticket": ticket, "expires_in": int(tokens.TICKET_LIFE.total_seconds())}

    @rpc(schemas.RedeemStreamTicket)
    def redeem_stream_ticket(self, *, ticket: str) -> Wire:
        """The subject given at the ticket's creation. TOKEN_INVALID from the second time on."""
        subject = self.store.take_ticket(tokens.digest(ticket), now())
        if subject is None:
            raise errors.TokenInvalid("stream ticket")
        return subject

    @rpc(schemas.CreateApiToken)
    def create_api_token(self, *, name: str, scopes: list[str], actor: Wire) -> Wire:
        """`{id, name, scopes, token, created_at}`, by an admin; the token is not shown again. FORBIDDEN, CONFLICT beyond 100."""
        domain.check_is_admin(actor, "create API tokens")
        if self.store.count_api_tokens() >= MAX_API_TOKENS:
            raise errors.TooMany("API tokens", MAX_API_TOKENS)
        secret = tokens.new_api_token()
        token = domain.new_api_token(new_id(), name=name, scopes=scopes, token_hash=tokens.digest(secret), actor=actor, now=now())
        self.store.insert_api_token(token)
        return api_token_view(token) | {"token": secret}

    @rpc
    def list_api_tokens(self) -> Wire:
        """`{items: [{id, name, scopes, created_at, last_used_at}], next_cursor: null}` of those in force, oldest first."""
        return {"items": [api_token_view(token) for token in self.store.list_api_tokens()], "next_cursor": None}

    @rpc(schemas.RevokeApiToken)
    def revoke_api_token(self, *, token_id: str, actor: Wire) -> Wire:
        """`{id}`, by an admin; again is no error. FORBIDDEN, TOKEN_NOT_FOUND."""
        domain.check_is_admin(actor, "revoke API tokens")
        if not self.store.revoke_api_token(token_id, now()):
            raise errors.TokenNotFound(token_id)
        return {"id": token_id}

    @rpc(schemas.VerifyApiToken)
    def verify_api_token(self, *, token: str) -> Wire:
        """`{id, name, scopes}` of a token in force. TOKEN_INVALID."""
        found = self.store.use_api_token(tokens.digest(token), now())
        if found is None:
            raise errors.TokenInvalid("API token")
        return {"id": found["_id"], "name": found["name"], "scopes": found["scopes"]}
