"""ЕДДС, АПК «Безопасный город»: urgent cards to a duty dispatcher, by a template."""
