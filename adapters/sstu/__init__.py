"""ССТУ.РФ, «Результаты рассмотрения обращений»: JSON, packages, the node's list, УРОГ's CSV."""
