"""The sheet of variations below the Stylize tab. Imports no other tab."""
