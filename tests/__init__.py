"""Laws of the code, of the page and of what is said about both."""
