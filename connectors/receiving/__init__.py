"""What callers push to us: requests as data, keys, signatures, pictures. Nothing here waits or stores."""
