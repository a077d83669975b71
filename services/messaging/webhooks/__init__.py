"""Webhooks: messaging's and contacts' events told to other people's servers, signed, in order and until they are heard."""
