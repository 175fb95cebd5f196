"""A small federation platform in Python's standard library, written from the binding alone.

platform   what it knows and what its operator does
server     TLS and HTTP; routes: what each call is answered
client     what it says to its peers
governance what it thinks of them
"""
