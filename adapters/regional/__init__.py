"""Contracts of regional systems that are seen in the field: САДКО.ОГ and АС ДОУ."""
