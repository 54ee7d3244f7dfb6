"""What is done to an appeal, one verb a file; normalizer/flow.py has the order."""
