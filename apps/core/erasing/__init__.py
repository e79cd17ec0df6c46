"""What erasure and purge stand on; knows no domain.

traces   what a person is known by, found in and taken out of text and JSON
columns  the same for every column of every table, sealed ones too
ledger   the record of erasures outside the database, which a restored backup is held against
"""
