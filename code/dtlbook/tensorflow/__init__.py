"""The methods of the book in TensorFlow with Keras 3, one module a chapter, under the same names as
`dtlbook.torch`.
"""
