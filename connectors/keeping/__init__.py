"""What this room keeps in MongoDB, a collection a file."""
