import ByteCoding
import FileIO
import StorageAPI
import StorageFiles

/// The data file on its way out: pages in groups with checksums, and records with one each.
struct DataOutput {
    /// What is written at once. Bytes.
    private static let flushBytes = 256 << 10

    private let file: any AppendableFile
    /// What waits to be written.
    var bytes: [UInt8] = []
    /// Of the file, without what waits.
    private var written = 0
    /// Of the file, without what waits.
    private(set) var checksum: UInt32 = 0

    init(_ file: any AppendableFile, header: [UInt8]) {
        self.file = file
        bytes = header
    }

    /// Goes on at the end of a file.
    init(_ file: any AppendableFile, written: Int, checksum: UInt32) {
        self.file = file
        self.written = written
        self.checksum = checksum
        bytes = []
    }

    /// Of the file, with what waits. Bytes.
    var position: Int { written + bytes.count }

    mutating func appendChecksum(from start: Int) {
        let checksum = CRC32C.checksum(bytes[start...])
        withUnsafeBytes(of: checksum.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func flushIfDue() throws(StorageError) {
        if bytes.count >= DataOutput.flushBytes { try flush() }
    }

    mutating func flush() throws(StorageError) {
        let (file, bytes) = (file, bytes)
        try StorageError.wrapping { () throws(FileError) in try file.append(bytes) }
        written += bytes.count
        checksum = CRC32C.checksum(bytes, extending: checksum)
        self.bytes.removeAll(keepingCapacity: true)
    }

    func sync() throws(FileError) { try file.sync() }
}

/// Closes a group after every few pages of a series.
struct PageGroups {
    private var start: Int
    private var pages = 0
    /// Of each page. Bytes.
    private(set) var lengths: [Int] = []

    init(_ output: DataOutput) { start = output.bytes.count }

    /// A page has been appended that began there.
    mutating func close(pageFrom pageStart: Int, _ output: inout DataOutput) {
        let length = output.bytes.count - pageStart
        lengths.append(length)
        pages += 1
        if pages == BlockFormat.pagesPerGroup { finish(&output) }
    }

    mutating func finish(_ output: inout DataOutput) {
        guard pages > 0 else { return }
        output.appendChecksum(from: start)
        start = output.bytes.count
        pages = 0
    }
}
