"""A local node of ССТУ.РФ (АРМ ЕС ОГ): import of one appeal per POST, and the analytics list."""
