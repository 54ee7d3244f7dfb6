"""Room 3: Appeal -> department queue. Start at flow.py."""
