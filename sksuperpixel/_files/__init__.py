"""What is written to files, and read from them: whole or not at all."""
