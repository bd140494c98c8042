"""The rules behind `callhelm_threecx.template.lint`, one module for each part of a template."""
