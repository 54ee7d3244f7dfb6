"""Bytes to text and text to moments."""
