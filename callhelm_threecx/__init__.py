"""Make any CRM answer a 3CX phone system."""
