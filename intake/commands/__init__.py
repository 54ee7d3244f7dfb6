"""One small file a command; main.py lists them."""
