import TestSupport
import Testing

@testable import FileIO

#if canImport(Glibc)
    import Glibc
#endif

@Suite("The machine's file system")
struct PosixFileSystemTests {
    private let files = PosixFileSystem()
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("appends, shortens and appends again at the new end")
    func append() throws {
        let path = directory("log")
        let file = try files.create(path)
        try file.append([1, 2, 3, 4])
        try file.truncate(to: 2)
        try file.append([9])
        try file.sync()
        #expect(file.size == 3)
        #expect(try files.read(path, limit: 10) == [1, 2, 9])
        let again = try files.openForAppending(path)
        #expect(again.size == 3)
        try again.append([7])
        #expect(try files.size(path) == 4)
    }

    @Test("copies a part of a file that grows, as much as there is")
    func copy() throws {
        let path = directory("log")
        let file = try files.create(path)
        try file.append([1, 2, 3, 4])
        func copied(_ offset: Int, _ count: Int) throws -> [UInt8] {
            var target = [UInt8](repeating: 0, count: count)
            let found = try target.withUnsafeMutableBytes { try files.copy(path, from: offset, into: $0) }
            return Array(target.prefix(found))
        }
        #expect(try copied(1, 2) == [2, 3])
        #expect(try copied(2, 9) == [3, 4])
        #expect(try copied(4, 9) == [])
        #expect(try copied(7, 9) == [])
        try file.append([5])
        #expect(try copied(3, 9) == [4, 5])
        #expect { try files.copy(directory("b"), from: 0, into: .init(start: nil, count: 0)) } throws: {
            ($0 as? FileError)?.isNotFound == true
        }
    }

    @Test("gives a reserve all of its room at once, and says what a directory lies on")
    func reserve() throws {
        let path = directory("reserve")
        try files.createReserve(path, bytes: 3 << 20)
        #expect(try files.size(path) == 3 << 20)
        var information = stat()
        #expect(stat(path, &information) == 0)
        #expect(information.st_blocks * 512 >= 3 << 20)
        #expect { try files.createReserve(path, bytes: 1) } throws: { ($0 as? FileError)?.code == EEXIST }
        _ = try files.kind(directory.path)
        #expect { try files.kind(directory("missing")) } throws: { ($0 as? FileError)?.isNotFound ?? false }
    }

    @Test("knows the file systems that are not a disk of the machine")
    func kinds() {
        #expect(FileSystemKind(magic: 0x6969) == .remote("nfs"))
        #expect(FileSystemKind(magic: 0xFF53_4D42) == .remote("cifs"))
        #expect(FileSystemKind(magic: 0x6573_5546) == .remote("fuse"))
        #expect(FileSystemKind(magic: 0xEF53) == .local)
    }

    @Test("refuses to create what is there, and to open what is not")
    func existence() throws {
        _ = try files.create(directory("a"))
        #expect { try files.create(directory("a")) } throws: { ($0 as? FileError)?.code == EEXIST }
        #expect { try files.openForAppending(directory("b")) } throws: { ($0 as? FileError)?.isNotFound == true }
        #expect { try files.map(directory("b")) } throws: { ($0 as? FileError)?.operation == "open" }
    }

    @Test("gives a file a second name, which outlives the first; a name that is taken is refused")
    func link() throws {
        try files.create(directory("a")).append([1, 2])
        try files.link(directory("a"), to: directory("b"))
        try files.remove(directory("a"))
        #expect(try files.read(directory("b"), limit: 9) == [1, 2])
        #expect { try files.link(directory("b"), to: directory("b")) } throws: { ($0 as? FileError)?.code == EEXIST }
        #expect { try files.link(directory("a"), to: directory("c")) } throws: {
            ($0 as? FileError)?.isNotFound == true
        }
    }

    @Test("does not read more than the bound")
    func bound() throws {
        let path = directory("big")
        try files.create(path).append([UInt8](repeating: 1, count: 100))
        #expect(throws: FileError.self) { try files.read(path, limit: 99) }
        #expect(try files.read(path, limit: 100).count == 100)
    }

    @Test("reads files whose size the system does not tell")
    func procFile() throws {
        #expect(try files.read("/proc/self/status", limit: 1 << 20).starts(with: Array("Name:".utf8)))
    }

    @Test("replaces a file as a whole and leaves nothing beside it")
    func replace() throws {
        try files.replace(directory("f"), with: [1])
        try files.replace(directory("f"), with: [2, 3])
        #expect(try files.read(directory("f"), limit: 10) == [2, 3])
        #expect(try files.list(directory.path) == ["f"])
    }

    @Test("makes nested directories, lists them in byte order, and removes them with their content")
    func directories() throws {
        try files.createDirectory(directory("x/y/z"))
        try files.createDirectory(directory("x/y/z"))
        for name in ["b", "B", "10", "9"] { _ = try files.create(directory("x/" + name)) }
        #expect(try files.list(directory("x")) == ["10", "9", "B", "b", "y"])
        try files.syncDirectory(directory("x"))
        try files.remove(directory("x"))
        #expect(!files.exists(directory("x")))
    }

    @Test("says which operation on which file the system refused, and why")
    func messages() {
        #expect { try files.list("/nonexistent") } throws: { error in
            "\(error)" == "list /nonexistent: No such file or directory"
        }
    }

    @Test("splits paths")
    func paths() {
        #expect(FilePath.directory(of: "/a/b") == "/a")
        #expect(FilePath.directory(of: "/a") == "/")
        #expect(FilePath.directory(of: "a") == ".")
        #expect(FilePath.name(of: "/a/b.c") == "b.c")
        #expect(FilePath.join("/a/", "b") == "/a/b")
    }
}

@Suite("A mapped file")
struct MappedFileTests {
    private let files = PosixFileSystem()
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("copies out what lies within, and refuses the rest")
    func copy() throws {
        let path = directory("f")
        try files.create(path).append(Array(0..<100))
        let mapped = try files.map(path)
        #expect(mapped.size == 100)
        #expect(try mapped.bytes(at: 97, count: 3) == [97, 98, 99])
        #expect(try mapped.bytes(at: 100, count: 0) == [])
        for (offset, count) in [(98, 3), (-1, 1), (0, 101), (101, 0), (0, -1), (Int.max, 1), (1, Int.max)] {
            #expect(throws: FileError.self, "\(count) bytes at \(offset)") {
                try mapped.bytes(at: offset, count: count)
            }
        }
    }

    @Test("keeps its content after the name is gone")
    func unlinked() throws {
        try files.create(directory("f")).append([5, 6])
        let mapped = try files.map(directory("f"))
        try files.remove(directory("f"))
        #expect(try mapped.bytes(at: 0, count: 2) == [5, 6])
    }

    @Test("that was shortened by somebody gives an error instead of a fault")
    func shortened() throws {
        let path = directory("f")
        let file = try files.create(path)
        try file.append([UInt8](repeating: 1, count: 3 * 4096))
        let mapped = try files.map(path)
        try file.truncate(to: 4096)
        #expect { try mapped.bytes(at: 8192, count: 10) } throws: { ($0 as? FileError)?.code == EIO }
        #expect(try mapped.bytes(at: 0, count: 2) == [1, 1])
        #expect(throws: FileError.self) { try mapped.bytes(at: 4000, count: 5000) }
    }

    @Test("is read again from pages that were given back, whatever piece of it they are")
    func released() throws {
        let content = (0..<5 * 4096 + 7).map { UInt8(truncatingIfNeeded: $0 / 7) }
        try files.create(directory("f")).append(content)
        let mapped = try files.map(directory("f"))
        mapped.expectSequentialReading()
        let spans = [
            (0, 0), (0, 4096), (100, 9000), (4095, 8193), (0, content.count), (-1, 5), (0, .max), (9000, 100),
            (.min, .max), (.max, 5),
        ]
        for (start, end) in spans {
            #expect(try mapped.bytes(at: 0, count: content.count) == content)
            mapped.releasePages(from: start, to: end)
        }
        #expect(try mapped.bytes(at: 0, count: content.count) == content)
    }

    @Test("may be empty")
    func empty() throws {
        _ = try files.create(directory("f"))
        let mapped = try files.map(directory("f"))
        #expect(mapped.size == 0)
        #expect(try mapped.bytes(at: 0, count: 0) == [])
    }
}

@Suite("A directory lock")
struct DirectoryLockTests {
    @Test("is given to one holder at a time, and is free when the holder has gone")
    func exclusive() throws {
        let directory = try TemporaryDirectory()
        do {
            let lock = try DirectoryLock(directory.path)
            #expect(throws: DirectoryLock.Refusal.held(path: directory.path)) { try DirectoryLock(directory.path) }
            withExtendedLifetime(lock) {}
        }
        _ = try DirectoryLock(directory.path)
    }

    @Test("takes over the file that a dead process left")
    func stale() throws {
        let directory = try TemporaryDirectory()
        try PosixFileSystem().create(directory("lock")).append(Array("4711".utf8))
        _ = try DirectoryLock(directory.path)
    }

    @Test("says what failed where there is no directory")
    func missing() {
        #expect { try DirectoryLock("/nonexistent") } throws: { error in
            guard case .failed(let failure)? = error as? DirectoryLock.Refusal else { return false }
            return failure.isNotFound
        }
    }
}
