import BackendSeries
import FileIO
import Logging
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import TSDB

#if canImport(Glibc)
    import Glibc
#endif

/// What the store costs, in process and on the real disk, for series like those of a backend (500 an instance, batches of
/// one or two instances, one step every 15 s of injected time):
///
/// - `append --instances N --steps N`: samples/s and CPU seconds per million through committer and log, bytes written
///   per sample, memory per series (anonymous and file pages apart).
/// - `restart`: the same load, then what a killed process leaves is opened again: seconds, peak memory, samples found.
/// - `churn --series N`: short-lived series, 10,000 at a time, each for four samples; memory as they come and go.
/// - `disk --instances N --steps N`: bytes per sample once everything is in blocks and merged.
/// - `merge --instances N --hours N`: latency of appends and queries before a merge of blocks and while it runs.
@main
struct StoreBenchmark {
    static func main() async throws {
        SystemAllocator.returnsFreeMemory()
        let arguments = Arguments(CommandLine.arguments)
        switch arguments.command {
        case "append":
            let load = try Load(arguments)
            // On a thread as scrapes have, which commits its batches itself.
            try await Task(executorPreference: TaskThreads("load", count: 1)) { try await load.append() }.value
        case "restart": try await Load(arguments).restart()
        case "reopen": try Load(arguments).reopen()
        case "churn": try await Churn(arguments).run()
        case "disk": try await Load(arguments).disk()
        case "merge":
            var interference = try Interference(arguments)
            try await interference.run()
        default:
            print("append | restart | churn | disk | merge  [--instances N] [--steps N] [--labels N] [--directory DIR]")
        }
    }
}

/// The command line: a command and numbers by name.
struct Arguments {
    let command: String
    private var values: [String: String] = [:]

    init(_ arguments: [String]) {
        command = arguments.dropFirst().first ?? ""
        var rest = arguments.dropFirst(2)
        while let name = rest.popFirst(), let value = rest.popFirst() { values[name] = value }
    }

    func number(_ name: String, _ standard: Int) -> Int { values["--" + name].flatMap { Int($0) } ?? standard }
    func text(_ name: String) -> String? { values["--" + name] }
}

/// A store on the real disk, and time that is told.
struct BenchmarkStore {
    let directory: String
    let clock = ManualClock(now: 1_767_225_600_000)

    init(_ directory: String?) throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        self.directory = directory ?? FilePath.join(parent, "hearth-store-\(getpid())")
        try PosixFileSystem().createDirectory(self.directory)
    }

    func open(_ adjust: (inout TSDBOptions) -> Void = { _ in }) throws -> TSDB {
        var options = TSDBOptions(
            directory: directory, logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() },
            metrics: MetricsRegistry())
        options.clock = clock
        adjust(&options)
        return try TSDB.open(options)
    }

    func remove() throws { try PosixFileSystem().remove(directory) }
}
