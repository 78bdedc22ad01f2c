"""Opens files of pictures within a budget of memory, reads what is written in them, writes pictures. Imports errors."""
