"""A small federation platform in Python's standard library, written from the binding alone.

platform      state, the acts of the operator, and timers
server        TLS and HTTP
routes        the response to each call
client        calls to peers
handshake     propose, accept and join
grants, capabilities, migrations, sync, notices: one part of the contract each
governance    findings and breaches about peers
"""
