import SeriesModel
import TestSupport
import Testing

@testable import Discovery

@Suite("File discovery")
struct FileDiscoveryTests {
    private let transport = ScriptedTransport { _ in ScriptedTransport.status(404) }

    @Test("A change is noticed at once, without any time passing")
    func noticed() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write("a.json", #"[{"targets":["h:1"]}]"#)
        let bench = Bench(transport)
        try await bench.run("file_sd_configs: [{files: ['\(directory.path)/*.json']}]") {
            #expect(await eventually { bench.addresses == ["h:1"] })
            #expect(bench.targets.first?["__meta_filepath"] == path)
            try directory.write("b.json", "[{\t\"targets\":\t[\"h:2\"]}]")
            #expect(await eventually { bench.addresses == ["h:1", "h:2"] })
            try directory.write("a.json", #"[{"targets":["h:3"]}]"#)
            #expect(await eventually { bench.addresses == ["h:2", "h:3"] })
            #expect(bench.metrics.contains("prometheus_sd_file_mtime_seconds{filename=\"\(path)\"}"))
            directory.delete("b.json")
            #expect(await eventually { bench.addresses == ["h:3"] })
            #expect(bench.metrics.contains("prometheus_sd_file_watcher_errors_total 0\n"))
        }
        #expect(!bench.metrics.contains("prometheus_sd_file_mtime_seconds{"))
    }

    @Test("A bad file keeps what it had and is counted once; JSON errors name their place")
    func badFile() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write("a.yml", "- {targets: ['h:1']}\n")
        let bench = Bench(transport)
        try await bench.run("file_sd_configs: [{files: ['\(path)']}]") {
            #expect(await eventually { bench.addresses == ["h:1"] })
            try directory.write("a.yml", "- targets: {}\n")
            #expect(await eventually { bench.metrics.contains("prometheus_sd_file_read_errors_total 1\n") })
            #expect(bench.addresses == ["h:1"])
        }
        let bad = try directory.write("b.json", #"[{"targets":[}]"#)
        let error = #expect(throws: (any Error).self) { try TargetGroup.read(bad) }
        #expect(
            error.map { String(describing: $0) }
                == "\(bad): json: invalid character looking for beginning of value at offset 13")
    }

    @Test("A directory that is not there yet is looked for, and counted as a failure to watch")
    func lateDirectory() async throws {
        let directory = try TemporaryDirectory()
        let clock = ManualClock(now: 0)
        let bench = Bench(transport, clock: clock)
        let path = directory.path
        directory.remove()
        try await bench.run("file_sd_configs: [{files: ['\(path)/a.json']}]") {
            #expect(await eventually { bench.metrics.contains("prometheus_sd_file_watcher_errors_total 1\n") })
            directory.make()
            try directory.write("a.json", #"[{"targets":["h:1"]}]"#)
            #expect(await eventually { clock.sleeperCount == 1 })
            clock.advance(by: 5000)
            #expect(await eventually { bench.addresses == ["h:1"] })
            try directory.write("a.json", #"[{"targets":["h:2"]}]"#)
            #expect(await eventually { bench.addresses == ["h:2"] })
        }
        directory.remove()
    }
}
