"""The loops of the whole street: START HERE at worker.py; rooms.py wires it, pipeline.py overlaps pages."""
