extension TSDB {
    package func cleanTombstones() throws -> Int { 0 }
}
