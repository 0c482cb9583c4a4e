"""Made-up appeals of a real shape: the same seed gives the same people, places, letters and files.

People, streets and houses are invented; codes and names of topics are those of the national
classifier, address spellings and mistakes are those that citizens and registrars make.
"""
