"""Repair (修复) of what crawls and converters broke, before anything else touches a text; apply.py has the order."""
