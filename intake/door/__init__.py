"""The door (接入口): what citizens' apps and other platforms push to us, over HTTP. START HERE at door.py."""
