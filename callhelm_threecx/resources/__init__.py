"""The HTTP interface: thin Falcon resources that read a request, call one service and answer."""
