import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import PrometheusBlocks

@Suite("A damaged block of Prometheus'")
struct PrometheusBlockCorruptionTests {
    private let disk = SimulatedFileSystem()

    private func path(_ file: String) -> String { PrometheusBlockFixture.path + "/" + file }

    @Test(
        "gives an error or the same answers, whichever byte of a file was changed or is missing",
        arguments: ["index", "chunks/000001", "tombstones"])
    func changedByte(file: String) throws {
        let series = PrometheusBlockFixture.series(12, samplesMax: 20).filter { $0.labels.packed.count < 200 }.suffix(5)
        try PrometheusBlockFixture.write(Array(series), to: disk)
        let references = try PrometheusBlockFixture.references(disk)
        disk.put(
            path("tombstones"),
            Tombstones.encode([(UInt64(references[2]), TimeRange(min: 0, max: 40_000))]))
        let expected = try PrometheusBlockFixture.content(PrometheusBlockFixture.open(disk))
        let bytes = try #require(disk.bytes(path(file)))
        func expectErrorOrEqual(_ changed: [UInt8], _ comment: Comment) throws {
            disk.put(path(file), changed)
            do {
                #expect(try PrometheusBlockFixture.content(PrometheusBlockFixture.open(disk)) == expected, comment)
            } catch is StorageError {}
        }
        for index in bytes.indices {
            for mask: UInt8 in [0x01, 0x80] {
                var changed = bytes
                changed[index] ^= mask
                try expectErrorOrEqual(changed, "byte \(index) by \(mask)")
            }
        }
        for index in stride(from: 0, to: bytes.count, by: 7) {
            try expectErrorOrEqual(Array(bytes[..<index]), "\(index) bytes")
        }
    }

    @Test("fails the reads that meet the damage, and serves the others")
    func partial() throws {
        let series = PrometheusBlockFixture.series(12)
        try PrometheusBlockFixture.write(series, to: disk)
        let chunk = try #require(try PrometheusBlockFixture.open(disk).chunks(of: 3).first)
        var bytes = try #require(disk.bytes(path("chunks/000001")))
        bytes[Int(chunk.offset) + 5] ^= 1
        disk.put(path("chunks/000001"), bytes)
        let block = try PrometheusBlockFixture.open(disk)
        var samples = SampleBuffer()
        samples.append(1, 2)
        #expect(
            throws: StorageError.corruption(
                file: path("chunks/000001"), offset: Int(chunk.offset), reason: "chunk: checksum")
        ) { try block.read(series: 3, into: &samples) }
        #expect(samples.count == 1)
        try block.read(series: 4, into: &samples)
        #expect(throws: StorageError.self) { try block.labels(of: 12) }
    }

    @Test("names the encoding of a chunk that it does not know")
    func unknownEncoding() throws {
        try PrometheusBlockFixture.write(PrometheusBlockFixture.series(1), to: disk)
        let chunk = try #require(try PrometheusBlockFixture.open(disk).chunks(of: 0).first)
        var bytes = try #require(disk.bytes(path("chunks/000001")))
        let (length, start) = try ByteCursor.read(Array(bytes[Int(chunk.offset)...])) { cursor in
            (try cursor.varint(atMost: 1 << 20, "length"), Int(chunk.offset) + cursor.position)
        }
        bytes[start] = 99
        let checksum = CRC32C.checksum(bytes[start...start + length])
        for index in 0..<4 { bytes[start + length + 1 + index] = UInt8(checksum >> UInt32(24 - 8 * index) & 255) }
        disk.put(path("chunks/000001"), bytes)
        let block = try PrometheusBlockFixture.open(disk)
        #expect {
            try block.chunk(chunk)
        } throws: { error in
            "\(error)".contains("encoding 99")
        }
    }

    @Test(
        "is not opened without its description, or by one of another version",
        arguments: [
            "", "{", "[]", #"{"ulid":"01HV0000000000000000000001","minTime":0,"maxTime":1,"version":2}"#,
            #"{"ulid":"01HV0000000000000000000001","minTime":2,"maxTime":1,"version":1}"#,
            #"{"ulid":1,"minTime":0,"maxTime":1,"version":1}"#,
            #"{"ulid":"x","minTime":0,"maxTime":99999999999999999999,"version":1}"#,
        ])
    func meta(text: String) throws {
        try PrometheusBlockFixture.write(PrometheusBlockFixture.series(1), to: disk)
        disk.put(path("meta.json"), Array(text.utf8))
        #expect(throws: StorageError.self) { try PrometheusBlockFixture.open(disk) }
    }
}

extension PrometheusBlockFixture {
    /// What the index calls its series.
    static func references(_ disk: any FileSystem) throws -> [UInt32] {
        var index = try PrometheusIndex(try disk.map(path + "/index"))
        return try index.references()
    }
}
