"""The service's entrypoints by noun; `services.presence.service` puts them together."""
