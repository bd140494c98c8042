"""A tiny Call-Helm: a host with contacts, calls, people and a sign-in of its own, and the 3CX
integration mounted in it. ``python -m contrib.callhelm_host`` runs it; README.md says more."""
