import FileIO
import Synchronization
import TestSupport
import Testing

@Suite("The simulated file system")
struct SimulatedFileSystemTests {
    @Test("keeps what was synced through any loss of power, and loses some of the rest")
    func power() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        let file = try disk.create("/d/f")
        try disk.syncDirectory("/d")
        try file.append([1, 2, 3])
        try file.sync()
        try file.append([4, 5, 6])
        let unnamed = try disk.create("/d/g")
        try unnamed.append([9])
        try unnamed.sync()
        var lengths: Set<Int> = []
        var isNameLost = false
        for seed in 0..<64 {
            var random = SeededRandom(seed: UInt64(seed))
            let after = disk.losePower(using: &random)
            let bytes = try #require(after.bytes("/d/f"))
            #expect(bytes.starts(with: [1, 2, 3]))
            lengths.insert(bytes.count)
            isNameLost = isNameLost || !after.exists("/d/g")
        }
        #expect(lengths == [3, 4, 5, 6])
        #expect(isNameLost)
    }

    @Test("keeps everything when only the process dies")
    func kill() throws {
        let disk = SimulatedFileSystem()
        try disk.create("/f").append([1, 2])
        #expect(disk.killProcess().bytes("/f") == [1, 2])
    }

    @Test("fails the write that it was told to, once")
    func failures() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.create("/f")
        disk.failWrite(1, .half)
        try file.append([1, 2])
        #expect(throws: FileError.self) { try file.append([3, 4]) }
        #expect(disk.bytes("/f") == [1, 2, 3])
        try file.append([5])
        #expect(disk.bytes("/f") == [1, 2, 3, 5])
    }

    @Test("tears a write where the disk is full, and takes writes again when there is room")
    func room() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.create("/f")
        disk.setRoom(3)
        try file.append([1, 2])
        #expect { try file.append([3, 4]) } throws: { ($0 as? FileError)?.isDiskFull == true }
        #expect(disk.bytes("/f") == [1, 2, 3])
        disk.setRoom(nil)
        try file.append([5])
        #expect(disk.bytes("/f") == [1, 2, 3, 5])
    }

    @Test("refuses every change and reads on where it is read-only")
    func readOnly() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.create("/f")
        try file.append([1])
        disk.setReadOnly(true)
        #expect(throws: FileError.self) { try file.append([2]) }
        #expect(throws: FileError.self) { try disk.create("/g") }
        #expect(throws: FileError.self) { try disk.remove("/f") }
        #expect(try disk.read("/f", limit: 9) == [1])
        disk.setReadOnly(false)
        try file.append([2])
        #expect(disk.bytes("/f") == [1, 2])
    }

    @Test("fails the call that it was told to, of the kind it was told, once")
    func calls() throws {
        let disk = SimulatedFileSystem()
        disk.failCall(1, of: .create)
        try disk.create("/a").append([1])
        #expect { try disk.create("/b") } throws: { ($0 as? FileError)?.code == 5 }
        _ = try disk.create("/b")
    }

    @Test("loses what a failed sync left behind, whatever is synced later")
    func failedSync() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.create("/f")
        try disk.syncDirectory("/")
        try file.append([1])
        try file.sync()
        try file.append([2])
        disk.failCall(0, of: .sync)
        #expect(throws: FileError.self) { try file.sync() }
        try file.append([3])
        try file.sync()
        var random = SeededRandom(seed: 1)
        #expect(disk.bytes("/f") == [1, 2, 3])
        #expect(disk.losePower(using: &random).bytes("/f") == [1, 0, 3])
    }

    @Test("shows itself before every change and in the middle of a write")
    func observed() throws {
        let disk = SimulatedFileSystem()
        let seen = Mutex<[[UInt8]?]>([])
        disk.observeChanges { disk in seen.withLock { $0.append(disk.bytes("/f")) } }
        try disk.create("/f").append([1, 2])
        try disk.remove("/f")
        #expect(seen.withLock { $0 } == [nil, [], [1], [1, 2]])
    }
}
