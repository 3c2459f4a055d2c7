import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import PrometheusBlocks

@Suite("A data directory of Prometheus'")
struct PrometheusDirectoryTests {
    private let disk = SimulatedFileSystem()

    private func put(_ name: String, _ meta: String) throws {
        try disk.createDirectory("/prometheus/" + name)
        disk.put("/prometheus/\(name)/meta.json", Array(meta.utf8))
    }

    @Test("lists its blocks without those that another was made of, and knows where the log goes on")
    func blocks() throws {
        let directory = PrometheusDirectory(fileSystem: disk, path: "/prometheus")
        try disk.createDirectory("/prometheus/wal")
        #expect(!directory.isRecognized)
        func meta(_ ulid: String, _ max: Int, _ rest: String = "") -> String {
            #"{"ulid":"\#(ulid)","minTime":0,"maxTime":\#(max),"version":1,"new":{"x":[1]},"compaction":{"level":2\#(rest)}}"#
        }
        let names = (1...4).map { "01HV000000000000000000000\($0)" }
        try put(names[0], meta(names[0], 100))
        try put(names[1], meta(names[1], 200, #","parents":[{"ulid":"\#(names[0])","minTime":0,"maxTime":100}]"#))
        try put(names[2], meta(names[2], 900, #","hints":["from-out-of-order"]"#))
        try put(names[3], "{}")
        try put(names[3] + ".tmp-for-deletion", meta(names[3], 5000))
        let (found, damaged) = try directory.readableBlocks()
        #expect(found.map(\.meta.ulid) == [names[1], names[2]])
        #expect(damaged.map(\.path) == ["/prometheus/" + names[3]])
        #expect(PrometheusDirectory.logStart(behind: found.map(\.meta)) == 200)
        #expect(PrometheusDirectory.logStart(behind: []) == .min)
        #expect(directory.isRecognized)
    }
}
