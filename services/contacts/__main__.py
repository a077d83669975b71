"""The process of the contacts service."""

from services.common.process import run

run("services.contacts.service", "ContactsService")
