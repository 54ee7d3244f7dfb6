"""Any JSON interface, declared in the settings: a new city's API without a line of Python (声明式接口)."""
