import FileIO
import TestSupport
import Testing

@Suite("A file of fixed size")
struct FixedSizeFileTests {
    private let files = PosixFileSystem()
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("begins full of zeros, whatever was there, and takes bytes at any place")
    func writes() throws {
        let path = directory("slots")
        try files.create(path).append([UInt8](repeating: 7, count: 300_000))
        let file = try FixedSizeFile(path, size: 200_000)
        #expect(try files.read(path, limit: 1 << 20) == [UInt8](repeating: 0, count: 200_000))
        try file.write([1, 2, 3], at: 199_997)
        try file.write([9], at: 0)
        let bytes = try files.read(path, limit: 1 << 20)
        #expect(bytes.count == 200_000)
        #expect(bytes.first == 9)
        #expect(bytes.suffix(4) == [0, 1, 2, 3])
    }

    @Test("a directory that is not there is an error")
    func missing() {
        #expect { try FixedSizeFile(directory("none/slots"), size: 1) } throws: {
            ($0 as? FileError)?.isNotFound == true
        }
    }
}
