"""СМЭВ 3: message exchange 1.1, 1.2 and 1.3 as sender and as receiver."""
