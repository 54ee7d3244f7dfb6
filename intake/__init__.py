"""The front door: command line, settings, wiring, loops. No room imports it."""
