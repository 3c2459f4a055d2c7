import GRDB

/// The schemas of both files, as named steps. Steps are only ever appended: a file of any release is brought up to date
/// by those it has not seen, and a file with a step that is not listed here belongs to a newer release.
enum CatalogMigrations {
    /// `catalog.sqlite`: which blocks there are.
    static var catalog: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("blocks") { database in
            try database.execute(
                sql: """
                    CREATE TABLE block (
                        identifier TEXT NOT NULL PRIMARY KEY,
                        min_time INTEGER NOT NULL,
                        max_time INTEGER NOT NULL,
                        bytes INTEGER NOT NULL,
                        level INTEGER NOT NULL,
                        series_count INTEGER NOT NULL,
                        sample_count INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE block_parent (
                        block TEXT NOT NULL REFERENCES block(identifier) ON DELETE CASCADE,
                        parent TEXT NOT NULL,
                        PRIMARY KEY (block, parent)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE head_start (
                        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
                        time INTEGER NOT NULL
                    ) STRICT;
                    """)
        }
        return migrator
    }

    /// `state.sqlite`: what is worth keeping over a restart and is not a sample.
    static var state: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("alerts, outbox, metadata") { database in
            try database.execute(
                sql: """
                    CREATE TABLE alert_state (
                        group_key TEXT NOT NULL PRIMARY KEY,
                        state BLOB NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE outbox (
                        identifier INTEGER PRIMARY KEY AUTOINCREMENT,
                        destination TEXT NOT NULL,
                        key BLOB NOT NULL,
                        payload BLOB NOT NULL,
                        UNIQUE (destination, key)
                    ) STRICT;
                    CREATE TABLE metric_metadata (
                        metric TEXT NOT NULL PRIMARY KEY,
                        kind TEXT NOT NULL,
                        help TEXT NOT NULL,
                        unit TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("log positions") { database in
            try database.execute(
                sql: """
                    CREATE TABLE log_position (
                        consumer TEXT NOT NULL PRIMARY KEY,
                        record INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        return migrator
    }
}
