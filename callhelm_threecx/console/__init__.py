"""The admin console: pages for the people who connect a PBX, rendered here, in any browser.

Everything works without script and gets more comfortable with a little. Pages ask services and
never the database; what people and callers wrote is escaped by the templates.
"""
