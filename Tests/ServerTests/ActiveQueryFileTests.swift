import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import Server

@Suite("The file of active queries")
struct ActiveQueryFileTests {
    private let directory: TemporaryDirectory
    private let log = RecordingLog()

    init() throws { directory = try TemporaryDirectory() }

    private func open(slots: Int = 2) throws -> ActiveQueryFile {
        try ActiveQueryFile(
            directory: directory.path, slotCount: slots, clock: ManualClock(now: 1_700_000_000_500),
            logger: log.logger)
    }

    private var content: String { get throws { try directory.read(ActiveQueryFile.name).filter { $0 != "\0" } } }

    @Test("queries stand in places of 1000 bytes while they run")
    func entries() throws {
        let file = try open()
        #expect(try content == "[")
        let first = file.insert("up")
        let second = file.insert("rate(x[5m]) > \"\n\"")
        let bytes = try PosixFileSystem().read(directory(ActiveQueryFile.name), limit: 1 << 20)
        #expect(bytes.count == 2001)
        #expect(bytes[1000] == UInt8(ascii: ","))
        #expect(
            try content
                == #"[{"query":"up","timestamp_sec":1700000000},"#
                + #"{"query":"rate(x[5m]) > \"\n\"","timestamp_sec":1700000000},"#)
        file.remove(first)
        #expect(try content == #"[{"query":"rate(x[5m]) > \"\n\"","timestamp_sec":1700000000},"#)
        file.remove(second)
        #expect(try content == "[")
    }

    @Test("where every place is taken, a query is not noted, and that does no harm")
    func full() throws {
        let file = try open(slots: 1)
        let first = file.insert("a")
        let second = file.insert("b")
        #expect(second == -1)
        file.remove(second)
        file.remove(first)
        #expect(file.insert("c") == first)
        #expect(try content == #"[{"query":"c","timestamp_sec":1700000000},"#)
    }

    @Test("what the last run did not finish is logged once, and gone")
    func unfinished() throws {
        do {
            let file = try open()
            _ = file.insert("sum(a)")
            _ = file.insert("max(b)")
        }
        #expect(log.lines == [])
        let list =
            #"[{"query":"sum(a)","timestamp_sec":1700000000},{"query":"max(b)","timestamp_sec":1700000000}]"#
        _ = try open()
        #expect(
            log.lines == [
                "These queries didn't finish in prometheus' last run: component=activeQueryTracker queries=\(list)"
            ])
        _ = try open()
        #expect(log.lines.count == 1)
    }

    @Test("files that are empty, or not ours, do no harm", arguments: ["", "[", "\0\0", "garbage", "[{"])
    func foreign(text: String) throws {
        try directory.write(ActiveQueryFile.name, text)
        _ = try open()
        #expect(try content == "[")
    }

    @Test("a long query is cut between characters so that its entry fits, escapes included")
    func cut() {
        for query in [
            String(repeating: "a", count: 5000), String(repeating: "ä", count: 600),
            String(repeating: "\"", count: 900),
            String(repeating: "\u{1}", count: 900), String(repeating: "😀", count: 249), "",
        ] {
            let entry = ActiveQueryFile.entry(query, at: 1_700_000_000_000)
            #expect(entry.count <= 999)
            #expect(query.utf8.count < 500 || entry.count > 990)
            #expect(String(validating: entry, as: UTF8.self)?.hasSuffix(#"","timestamp_sec":1700000000}"#) == true)
        }
    }
}
