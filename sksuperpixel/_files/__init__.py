"""Reading and writing files. A file is written completely or not at all."""
