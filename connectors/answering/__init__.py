"""Answering where an appeal came from (回写): declared in the settings, for whatever kind of source."""
