"""What every request passes on its way to a resource: context, key, limit; in this order."""
