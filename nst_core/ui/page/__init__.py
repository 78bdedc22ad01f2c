"""What every tab needs of the page: words, toasts, files to keep, its look. Imports no other room of the page."""
