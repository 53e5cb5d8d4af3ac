"""The methods of the book in PyTorch, one module a chapter."""
