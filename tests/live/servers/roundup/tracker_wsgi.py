"""Serves a tracker: roundup-server itself refuses to run as root."""

import os

from roundup.cgi.wsgi_handler import RequestDispatcher

application = RequestDispatcher(os.environ["TRACKER"])
