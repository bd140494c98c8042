"""The product at work: invented contacts, a server, and a PBX that calls it."""
