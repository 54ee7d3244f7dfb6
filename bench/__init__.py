"""The figures of DESIGN section 8, each against a baseline that runs beside it: START HERE, then __main__.py."""
