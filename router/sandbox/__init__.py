"""The sandbox (联调环境): a script in a virtual host of its own, and a sheet of what a program made of it."""
