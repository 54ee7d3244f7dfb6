"""Room 2: RawAppeal -> Appeal. Start at flow.py."""
