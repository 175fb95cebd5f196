"""The data of the platform: documents in SQLite, one transaction at a time."""

import json
import sqlite3
import threading
from contextlib import contextmanager

SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    n INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (collection, id)
)
"""


class Store:
    """Documents by collection and id, in the order of insertion."""

    def __init__(self, path=":memory:"):
        # Each call has a thread of its own. The lock admits one at a time to the connection.
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute(SCHEMA)
        self._lock = threading.RLock()
        self._depth = 0

    @contextmanager
    def transaction(self):
        """Commits everything done inside, or nothing. An inner transaction is part of the outer one."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def put(self, collection, id, document):
        with self._lock:
            self._connection.execute(
                "INSERT INTO document (collection, id, body) VALUES (?, ?, ?)"
                " ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body",
                (collection, id, json.dumps(document)),
            )

    def update(self, collection, id, **members):
        """Changes some members. Returns the changed document."""
        with self.transaction():
            document = {**self.one(collection, id), **members}
            self.put(collection, id, document)
            return document

    def one(self, collection, id):
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM document WHERE collection = ? AND id = ?", (collection, str(id))
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, collection, **members):
        """Returns the documents with the given members."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT body FROM document WHERE collection = ? ORDER BY n", (collection,)
            ).fetchall()
        documents = (json.loads(body) for (body,) in rows)
        return [d for d in documents if all(d.get(k) == v for k, v in members.items())]

    def delete(self, collection, id):
        with self._lock:
            self._connection.execute("DELETE FROM document WHERE collection = ? AND id = ?", (collection, id))

    def clear(self):
        with self._lock:
            self._connection.execute("DELETE FROM document")
