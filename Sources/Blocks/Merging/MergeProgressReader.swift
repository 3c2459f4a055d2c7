import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles

/// Reads the file of a merge's progress up to its last good mark.
struct MergeProgressReader {
    private static let headBytes = 12

    let conditions: MergeConditions
    private let file: MappedFile
    /// Behind the last record that was right.
    private(set) var position: Int
    /// There.
    private(set) var checksum: UInt32 = 0

    /// - Throws: `.corruption` where the beginning is not whole.
    init(fileSystem: any FileSystem, directory: String) throws(StorageError) {
        let path = FilePath.join(directory, MergeProgress.fileName)
        file = try StorageError.wrapping { () throws(FileError) in try fileSystem.map(path) }
        position = 0
        let head = try MergeProgressReader.bytes(file, 0, min(MergeProgressReader.headBytes, file.size))
        var expected = ByteBuilder()
        expected.append(contentsOf: MergeProgress.magic)
        expected.appendLittleEndian(MergeProgress.version)
        guard head == expected.bytes else {
            throw .corruption(file: path, offset: 0, reason: "not the progress of a merge, version 1")
        }
        position = head.count
        checksum = CRC32C.checksum(head)
        guard
            let content = try MergeProgressReader.record(
                file, &position, &checksum, lengthMax: MergeProgress.conditionBytesMax)
        else { throw .corruption(file: path, offset: head.count, reason: "conditions of a merge") }
        do throws(ByteError) {
            conditions = try ByteCursor.read(content) { (cursor: inout ByteCursor) throws(ByteError) in
                let conditions = try MergeConditions(&cursor)
                guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "end of conditions") }
                return conditions
            }
        } catch {
            throw .corruption(error, file: path, base: head.count + 4)
        }
    }

    private static func bytes(_ file: MappedFile, _ offset: Int, _ count: Int) throws(StorageError) -> [UInt8] {
        try StorageError.wrapping { () throws(FileError) in try file.bytes(at: offset, count: count) }
    }

    /// - Returns: nil where the next record is not whole.
    private static func record(
        _ file: MappedFile, _ position: inout Int, _ checksum: inout UInt32, lengthMax: Int = .max
    ) throws(StorageError) -> [UInt8]? {
        guard file.size - position >= 8 else { return nil }
        let head = try bytes(file, position, 4)
        let length = Int(head.littleEndian32)
        guard length <= min(lengthMax, file.size - position - 8) else { return nil }
        let content = try bytes(file, position + 4, length)
        let found = CRC32C.checksum(content, extending: CRC32C.checksum(head, extending: checksum))
        guard try bytes(file, position + 4 + length, 4).littleEndian32 == found else { return nil }
        position += length + 8
        checksum = found
        return content
    }

    /// What a mark says was added since the one before.
    struct Addition {
        var mark: MergeProgress.Mark
        var layoutRows: [[UInt8]] = []
        var series: [Series] = []

        struct Series {
            var labels: LabelSet
            var row: [UInt8]
            var offset: Int
            var layout: UInt32
        }
    }

    /// - Returns: nil behind the last good mark.
    /// - Throws: `.corruption` for a mark that has the right checksum and no sense.
    mutating func next() throws(StorageError) -> Addition? {
        let start = position + 4
        guard let content = try MergeProgressReader.record(file, &position, &checksum) else { return nil }
        do throws(ByteError) {
            return try ByteCursor.read(content) { (cursor: inout ByteCursor) throws(ByteError) in
                try Addition(&cursor)
            }
        } catch {
            throw .corruption(error, file: file.path, base: start)
        }
    }
}

extension MergeProgressReader.Addition {
    fileprivate init(_ cursor: inout ByteCursor) throws(ByteError) {
        func number() throws(ByteError) -> Int {
            let offset = cursor.position
            guard let number = Int(exactly: try cursor.littleEndian(UInt64.self)), number < 1 << 62 else {
                throw .outOfBounds(offset: offset, what: "number of a mark")
            }
            return number
        }
        let dataBytes = try number()
        let checksum = try cursor.littleEndian(UInt32.self)
        mark = MergeProgress.Mark(
            dataBytes: dataBytes, dataChecksum: checksum, chunkCount: try number(), sampleCount: try number())
        for _ in 0..<(try cursor.varint(atMost: cursor.remaining, "layouts")) {
            layoutRows.append(Array(try cursor.sizedBytes()))
        }
        var packed: [UInt8] = []
        var place = 0
        for _ in 0..<(try cursor.varint(atMost: cursor.remaining, "series")) {
            let shared = try cursor.varint(atMost: packed.count, "shared bytes of labels")
            packed.removeLast(packed.count - shared)
            packed.append(contentsOf: try cursor.sizedBytes())
            place += try cursor.varint(atMost: dataBytes - place, "place of a series")
            let layout = try cursor.varint(atMost: Int(UInt32.max), "layout")
            series.append(
                Series(
                    labels: LabelSet(trusted: packed), row: Array(try cursor.sizedBytes()), offset: place,
                    layout: UInt32(layout)))
        }
        guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "end of a mark") }
    }
}
