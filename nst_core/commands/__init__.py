"""The command line, a module a command. Imports everything but the page."""
