"""The same matter behind many voices: the same person again (重复诉求), many people on one event (同一事件)."""
