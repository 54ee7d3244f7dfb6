"""Room 1: channel -> RawAppeal. Start at flow.py."""
