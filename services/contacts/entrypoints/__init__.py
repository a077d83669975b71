"""The service's entrypoints by noun; `services.contacts.service` puts them together."""
