"""VGG: its weights, from a file or a server, its scales, features and classifier. Imports images, devices, files."""
