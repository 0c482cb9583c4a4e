"""One package per outside system: mapping and talking in separate files, the same names in each."""
