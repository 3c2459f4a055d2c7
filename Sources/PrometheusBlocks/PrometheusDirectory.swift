package import FileIO
package import SeriesModel
package import StorageAPI
import StorageFiles

/// A data directory of Prometheus', as far as it is read here.
package struct PrometheusDirectory: Sendable {
    package let path: String
    private let fileSystem: any FileSystem

    package init(fileSystem: any FileSystem, path: String) {
        self.fileSystem = fileSystem
        self.path = path
    }

    /// The directories of the blocks that count, in the order of their names, and what each says of itself. A block that
    /// another one was made of does not count: Prometheus would have removed it before long.
    /// - Throws: `StorageError`; also for a block whose description cannot be read.
    package func blocks() throws(StorageError) -> [(path: String, meta: PrometheusMeta)] {
        let (found, damaged) = try readableBlocks()
        if let first = damaged.first { throw first.error }
        return found
    }

    /// As `blocks()`, with those that cannot be read apart.
    package func readableBlocks() throws(StorageError) -> (
        blocks: [(path: String, meta: PrometheusMeta)], damaged: [(path: String, error: StorageError)]
    ) {
        let names = try StorageError.wrapping { () throws(FileError) in try fileSystem.list(path) }
        var found: [(path: String, meta: PrometheusMeta)] = []
        var damaged: [(path: String, error: StorageError)] = []
        for name in names where PrometheusDirectory.isBlockName(name) {
            let block = FilePath.join(path, name)
            do throws(StorageError) {
                found.append((block, try PrometheusBlock.meta(fileSystem: fileSystem, path: block)))
            } catch {
                damaged.append((block, error))
            }
        }
        let replaced = Set(found.flatMap { $0.meta.compaction?.parents ?? [] }.map(\.ulid))
        return (found.filter { !replaced.contains($0.meta.ulid) && $0.meta.compaction?.deletable != true }, damaged)
    }

    /// Where the log goes on behind the blocks: older samples in it are in them already. Blocks of late samples do not
    /// count, as upstream has it. ms
    package static func logStart(behind blocks: [PrometheusMeta]) -> Timestamp {
        blocks.filter { !$0.isFromLateSamples }.map(\.maxTime).max() ?? .min
    }

    /// Whether a directory looks like one of Prometheus': it has a block of the kind, or a log beside head chunks.
    package var isRecognized: Bool {
        guard let names = try? fileSystem.list(path) else { return false }
        let hasBlock = names.contains { name in
            PrometheusDirectory.isBlockName(name)
                && fileSystem.exists(FilePath.join(FilePath.join(path, name), PrometheusFormat.metaName))
        }
        return hasBlock || names.contains(PrometheusFormat.logName) && names.contains("chunks_head")
    }

    /// Whether the directory of the log is Prometheus': it has a checkpoint of Prometheus', or a segment that begins as
    /// they do.
    package var hasLog: Bool {
        let log = FilePath.join(path, PrometheusFormat.logName)
        guard let names = try? fileSystem.list(log) else { return false }
        return names.contains { name in
            let file = FilePath.join(log, name)
            if name.utf8.starts(with: PrometheusFormat.checkpointPrefix.utf8) { return true }
            guard !name.isEmpty, name.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let mapped = try? fileSystem.map(file)
            else { return false }
            var segment = LogSegment(mapped)
            return segment.beginsSoundly()
        }
    }

    /// What tells this log from another one, and from itself before somebody went on with it, without reading it: a hash
    /// of the names and sizes of its files, those of late samples included. Nil where there is none.
    package var logFingerprint: (high: UInt64, low: UInt64)? {
        var content: [UInt8] = []
        func add(_ path: String, depth: Int) {
            if depth < 2, let names = try? fileSystem.list(path) {
                for name in names.sorted(by: { $0.precedesByBytes($1) }) {
                    add(FilePath.join(path, name), depth: depth + 1)
                }
            } else if let size = try? fileSystem.size(path) {
                content.append(contentsOf: path.utf8.dropFirst(self.path.utf8.count))
                withUnsafeBytes(of: Int64(size).littleEndian) { content.append(contentsOf: $0) }
            }
        }
        for name in [PrometheusFormat.logName, PrometheusFormat.lateLogName] {
            let log = FilePath.join(path, name)
            if (try? fileSystem.list(log)) != nil { add(log, depth: 0) }
        }
        if content.isEmpty { return nil }
        return (StableHash.hash(content), content.withUnsafeBytes { StableHash.hash($0, seed: 1) })
    }

    /// A ULID: 26 characters of Crockford's base 32.
    package static func isBlockName(_ name: String) -> Bool {
        let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8
        return name.utf8.count == 26 && name.utf8.allSatisfy { alphabet.contains($0) }
    }
}
