"""A synthetic region of the address registry (ГАР) in the official format, and questions about it.

`region` draws everything that has a name, `houses` the houses of a street whenever they are wanted,
`delivery` writes the files of a full delivery or of the delta after it, `questions` asks for houses
as people do and knows the true answers. All of it follows from a seed. Nothing here is taken from
`gateway.addresses`: what abbreviates and misspells must not know how it will be read.
"""
