"""АС ДОУ, Voronezh: reports and final reports on its assignments, over SOAP."""
