"""All SQL of tickets, one module a table. The caller owns the connection and the transaction.

Who wants to change a ticket locks its row first (`tickets.lock`), so that transitions of one
ticket follow each other; the conditional updates then decide who wins.
"""
