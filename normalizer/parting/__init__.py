"""One message with several requests (一条多诉): found by its own words, and made into parts."""
