"""What strangers and ill-meaning peers may send, and what honest callers notice of it."""
