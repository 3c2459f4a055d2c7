import FileIO
import HTTPAPI
import Logging
import SeriesModel
import Synchronization

/// The queries being evaluated, in the file `queries.active` of the data directory. A process that a query has killed
/// leaves it behind: the next one logs what it finds there.
///
/// The format is Prometheus' (promql/query_logger.go): `[`, then places of 1000 bytes, one for each query that may run
/// at a time. A place is all zeros, or holds a JSON object, zeros, and a comma as its last byte.
final class ActiveQueryFile: Sendable {
    static let name = "queries.active"
    private static let entryBytes = 1000
    /// A file that is longer was not written by this program. Bytes.
    private static let fileBytesMax = 64 << 20
    static let slotCountMax = 10_000

    private let file: FixedSizeFile
    private let clock: any WallClock
    private let logger: Logger
    /// Indexes of places that are not in use.
    private let free: Mutex<[Int]>
    /// A broken disk is told of once.
    private let hasFailed = Atomic(false)

    /// Logs what the last run left, and begins anew.
    /// - Parameters:
    ///   - directory: must exist, and belong to this process.
    ///   - name: of the file; Prometheus' own is not written to.
    init(
        directory: String, name: String = ActiveQueryFile.name, slotCount: Int, clock: any WallClock, logger: Logger
    ) throws(FileError) {
        let path = FilePath.join(directory, name)
        ActiveQueryFile.logUnfinished(path, logger)
        let slotCount = min(max(1, slotCount), ActiveQueryFile.slotCountMax)
        file = try FixedSizeFile(path, size: 1 + slotCount * ActiveQueryFile.entryBytes)
        try file.write([UInt8(ascii: "[")], at: 0)
        self.clock = clock
        self.logger = logger
        free = Mutex((0..<slotCount).reversed())
    }

    // MARK: The last run

    private static func logUnfinished(_ path: String, _ logger: Logger) {
        let files = PosixFileSystem()
        guard files.exists(path) else { return }
        do throws(FileError) {
            guard let queries = unfinished(in: try files.read(path, limit: fileBytesMax)) else { return }
            logger.info(
                "These queries didn't finish in prometheus' last run:",
                metadata: ["component": "activeQueryTracker", "queries": "\(queries)"])
        } catch {
            logger.error(
                "Failed to read query log file", metadata: ["component": "activeQueryTracker", "err": "\(error)"])
        }
    }

    /// - Returns: a JSON array; nil where there is nothing but the opening bracket.
    static func unfinished(in bytes: [UInt8]) -> String? {
        let written = bytes.filter { $0 != 0 }
        guard written.count > 1 else { return nil }
        return String(decoding: written.dropLast(), as: UTF8.self) + "]"
    }

    // MARK: Entries

    /// - Returns: the place, to be given to `remove`; -1 where all are in use.
    func insert(_ query: String) -> Int {
        guard let slot = free.withLock({ $0.popLast() }) else { return -1 }
        var entry = ActiveQueryFile.entry(query, at: clock.now())
        entry += [UInt8](repeating: 0, count: ActiveQueryFile.entryBytes - 1 - entry.count)
        entry.append(UInt8(ascii: ","))
        write(entry, slot)
        return slot
    }

    func remove(_ slot: Int) {
        guard slot >= 0 else { return }
        write([UInt8](repeating: 0, count: ActiveQueryFile.entryBytes), slot)
        free.withLock { $0.append(slot) }
    }

    private func write(_ entry: [UInt8], _ slot: Int) {
        do throws(FileError) {
            try file.write(entry[...], at: 1 + slot * ActiveQueryFile.entryBytes)
        } catch {
            guard !hasFailed.exchange(true, ordering: .relaxed) else { return }
            logger.error("Failed to note an active query", metadata: ["err": "\(error)"])
        }
    }

    /// `{"query":"…","timestamp_sec":…}`, with as much of the query as there is room for.
    static func entry(_ query: String, at time: Timestamp) -> [UInt8] {
        let bytesMax = entryBytes - 1
        var query = cut(query, bytesMax - object("", time).count)
        while true {
            let entry = object(query, time)
            let excess = entry.count - bytesMax
            if excess <= 0 { return entry }
            // Escapes have made it longer than the text: by six bytes for one at most.
            query = cut(query, query.utf8.count - max(1, excess / 6))
        }
    }

    private static func object(_ query: String, _ time: Timestamp) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("query", query)
            writer.field("timestamp_sec", integer: time / 1000)
        }
        return writer.takeBytes()
    }

    /// The beginning, at most so many bytes and whole characters.
    private static func cut(_ text: String, _ bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: max(0, bytesMax))
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }
}
