"""The canonical model: every entity of an appeal's life as frozen msgspec structs.

One file per family; import from the file (`from gateway.model.appeal import Appeal`). The package
itself imports nothing, so `import gateway.model` stays light. docs/reference/model.md lists every
entity and field.
"""
