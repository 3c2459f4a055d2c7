import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// The index on its way out: blocks with a checksum each, found by number through a directory at the end.
struct IndexOutput {
    private static let flushBytes = 256 << 10

    private let file: any AppendableFile
    private var bytes: [UInt8]
    private var written = 0
    /// Where each block begins.
    private var offsets: [Int] = []

    init(_ file: any AppendableFile, header: [UInt8]) {
        self.file = file
        bytes = header
    }

    private var position: Int { written + bytes.count }

    /// Blocks so far.
    var blockCount: UInt32 { UInt32(offsets.count) }

    mutating func appendBlock(_ content: [UInt8]) throws(StorageError) {
        guard offsets.count < Int(UInt32.max) - 1 else { throw .invalid(reason: "too many series for one block") }
        offsets.append(position)
        _ = try appendRecord(content)
    }

    /// Writes bytes that no directory leads to, with a checksum behind them.
    /// - Returns: where they begin.
    mutating func appendRecord(_ content: [UInt8]) throws(StorageError) -> Int {
        let start = position
        bytes.append(contentsOf: content)
        withUnsafeBytes(of: CRC32C.checksum(content).littleEndian) { bytes.append(contentsOf: $0) }
        if bytes.count >= IndexOutput.flushBytes { try flush() }
        return start
    }

    /// Writes the directory: where each block begins, and where the last one ends.
    /// - Returns: where it begins.
    mutating func finish() throws(StorageError) -> Int {
        let end = position
        var row = 0
        while row <= offsets.count {
            var content = ByteBuilder(capacity: BlockFormat.directoryRows * BlockFormat.directoryRowBytes)
            for number in row..<min(row + BlockFormat.directoryRows, offsets.count + 1) {
                content.appendLittleEndian(UInt64(number < offsets.count ? offsets[number] : end))
            }
            _ = try appendRecord(content.bytes)
            row += BlockFormat.directoryRows
        }
        try flush()
        return end
    }

    private mutating func flush() throws(StorageError) {
        let (file, bytes) = (file, bytes)
        try StorageError.wrapping { () throws(FileError) in try file.append(bytes) }
        written += bytes.count
        self.bytes.removeAll(keepingCapacity: true)
    }
}
