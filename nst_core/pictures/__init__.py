"""Opens files of pictures within a budget of memory, reads what is written in them, and makes what files hold."""
