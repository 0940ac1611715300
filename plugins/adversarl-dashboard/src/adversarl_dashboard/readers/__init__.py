"""What run folders and benchmark folders hold, read without ever writing to them."""
