"""ФИАС/ГАР: the state register of addresses, its deliveries loaded and searched."""
