import FileIO
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
}
