"""Opens files of pictures within a budget of memory, and reads what is written in them. Imports no tensor."""
