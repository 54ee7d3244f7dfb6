"""The kinds of channel, a file each: its settings, its class, a pure `parse`. registry.py lists them."""
