"""Addresses as people write them, and the registry of addresses (ГАР) they are found in; pure.

`parse` takes a line of text apart and says what every word was taken for. `keys` gives the spelling
by which names and numbers are compared, the same at load and at a question. `gazetteer` holds
streets and places in memory, `resolve` finds the house or says honestly what is in doubt, `suggest`
completes what is being typed. Houses stay in the database: the caller lends the look-up
(`gateway.store.addresses`).
"""
