"""The contacts, calls and members of a Call-Helm host, in the tables where the host has them."""

from callhelm_threecx.stores.callhelm.store import CallHelmStore

__all__ = ["CallHelmStore"]
