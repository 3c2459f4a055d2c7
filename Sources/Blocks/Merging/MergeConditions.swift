import ByteCoding
import FileIO
import SeriesModel

/// What a merge depends on: two with the same conditions write the same samples, so that one can go on where the other
/// ended.
struct MergeConditions: Sendable, Hashable {
    /// What is known of the block before it is written: its name, range, level and sources.
    var draft: BlockFooter
    /// In the order of the sources.
    var sources: [Source]
    /// As in `MergeMarks`.
    var context: [UInt8]

    /// What a source is and what was deleted of it, as hashes of its footer and of its tombstones' file.
    struct Source: Sendable, Hashable {
        var footer: UInt64
        var tombstones: UInt64
    }

    private static let contextBytesMax = 1 << 20
    private static let seed: UInt64 = 0x48454152544D4552

    /// nil where a source is of another format: nothing is known of its changes.
    init?(draft: BlockFooter, sources: [any BlockSource], context: [UInt8]) {
        guard context.count <= MergeConditions.contextBytesMax else { return nil }
        self.draft = draft
        self.context = context
        self.sources = []
        for source in sources {
            guard let reader = source as? BlockReader else { return nil }
            self.sources.append(
                Source(
                    footer: MergeConditions.hash(reader.footer.encoded),
                    tombstones: reader.tombstones.isEmpty ? 0 : MergeConditions.hash(reader.tombstones.encoded)))
        }
    }

    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { StableHash.hash($0, seed: seed) }
    }

    /// Whether the other is the same but for the block's name.
    func isSameWork(as other: MergeConditions) -> Bool {
        var renamed = other
        renamed.draft.identifier = draft.identifier
        return renamed == self
    }

    // MARK: - Bytes

    var encoded: [UInt8] {
        var builder = ByteBuilder()
        builder.appendSized(draft.encoded)
        for source in sources {
            builder.appendLittleEndian(source.footer)
            builder.appendLittleEndian(source.tombstones)
        }
        builder.appendSized(context)
        return builder.bytes
    }

    /// - Parameter cursor: over bytes whose checksum was right.
    init(_ cursor: inout ByteCursor) throws(ByteError) {
        let offset = cursor.position
        guard let draft = try? BlockFooter(Array(try cursor.sizedBytes()), file: MergeProgress.fileName) else {
            throw .outOfBounds(offset: offset, what: "footer")
        }
        self.draft = draft
        sources = []
        for _ in draft.parents {
            sources.append(
                Source(
                    footer: try cursor.littleEndian(UInt64.self), tombstones: try cursor.littleEndian(UInt64.self)))
        }
        context = Array(try cursor.sizedBytes())
    }
}
