import FileIO
import HTTPAPI
import Logging
import Scrape
import SeriesModel

/// The files of `scrape_failure_log_file`: a line of JSON for each failed scrape, as Prometheus' `slog` writes it. Jobs
/// that name the same file share it. Where the disk does not keep up lines are dropped, and scraping goes on.
final class ScrapeFailureLog: ScrapeFailureSink {
    /// Log files that are open, by path.
    struct OpenFiles: Sendable {
        fileprivate var files: [String: any AppendableFile] = [:]
    }

    private let lines: LineLog<FailedScrape, OpenFiles>
    private let files: any FileSystem

    init(logger: Logger, files: any FileSystem = PosixFileSystem()) {
        self.files = files
        lines = LineLog(name: "scrape failures", logger: logger) { lines, open in
            for (path, lines) in Dictionary(grouping: lines, by: \.file) {
                do throws(FileError) {
                    try open.files[path]?.append(lines.flatMap { ScrapeFailureLog.line($0) })
                } catch {
                    logger.error(
                        "Scrape failures cannot be logged", metadata: ["file": "\(path)", "err": "\(error)"])
                }
            }
        }
    }

    /// Opens files for `use`, at their ends.
    func open(_ paths: Set<String>) throws(FileError) -> OpenFiles {
        var open = OpenFiles()
        for path in paths.sorted() {
            open.files[path] = files.exists(path) ? try files.openForAppending(path) : try files.create(path)
        }
        return open
    }

    /// Lines go to these files from now on; they are opened anew at each reload, so that they can be moved away.
    func use(_ open: OpenFiles) { lines.use(open.files.isEmpty ? nil : open) }

    func scrapeFailed(_ scrape: FailedScrape) { lines.add(scrape, bytes: scrape.message.utf8.count) }

    /// Waits until everything is written that is there now, but no longer than so long.
    func flush(milliseconds: Int64 = 5000) { lines.flush(milliseconds: milliseconds) }

    /// Writes what waits, and ends.
    func close() { lines.close() }

    /// `ts` is what Prometheus 2 called `time`; programs that read the log ask for either.
    static func line(_ scrape: FailedScrape) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("time", CivilTime(scrape.time).rfc3339Milliseconds)
            writer.field("ts", CivilTime(scrape.time).rfc3339Milliseconds)
            writer.field("level", "ERROR")
            writer.field("msg", scrape.message)
            writer.field("job_name", scrape.job)
            writer.field("target", scrape.target)
        }
        return writer.takeBytes() + [UInt8(ascii: "\n")]
    }
}
