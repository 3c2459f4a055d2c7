import FileIO
import Scrape
import TestSupport
import Testing

@testable import Server

@Suite("Logs of failed scrapes")
struct ScrapeFailureLogTests {
    private let log = RecordingLog()
    private let files = SimulatedFileSystem()

    private func text(_ path: String) throws -> String {
        String(decoding: try files.read(path, limit: 1 << 20), as: UTF8.self)
    }

    private func failure(_ file: String, _ message: String) -> FailedScrape {
        FailedScrape(
            file: file, time: 1_700_000_000_050, job: "j", target: "http://a:1/metrics", message: message)
    }

    @Test("a line tells when, what, and of whom; jobs share a file, and files that are not open take nothing")
    func lines() throws {
        let failures = ScrapeFailureLog(logger: log.logger, files: files)
        failures.scrapeFailed(failure("/a.log", "before"))
        failures.use(try failures.open(["/a.log", "/b.log"]))
        failures.scrapeFailed(failure("/a.log", "server returned HTTP status 500"))
        failures.scrapeFailed(failure("/a.log", "a \"b\""))
        failures.scrapeFailed(failure("/c.log", "nowhere"))
        failures.close()
        let head = #"{"time":"2023-11-14T22:13:20.050Z","ts":"2023-11-14T22:13:20.050Z","level":"ERROR","msg":""#
        let tail = #"","job_name":"j","target":"http://a:1/metrics"}"# + "\n"
        #expect(
            try text("/a.log") == head + "server returned HTTP status 500" + tail + head + #"a \"b\""# + tail)
        #expect(try text("/b.log").isEmpty)
        #expect(!files.exists("/c.log"))
    }

    @Test("files are opened anew, so that they can be moved away")
    func reopening() throws {
        let failures = ScrapeFailureLog(logger: log.logger, files: files)
        failures.use(try failures.open(["/a.log"]))
        failures.scrapeFailed(failure("/a.log", "one"))
        failures.flush()
        try files.rename("/a.log", to: "/old.log")
        failures.use(try failures.open(["/a.log"]))
        failures.scrapeFailed(failure("/a.log", "two"))
        failures.use(try failures.open([]))
        failures.scrapeFailed(failure("/a.log", "three"))
        failures.close()
        #expect(try text("/old.log").split(separator: "\n").count == 1)
        #expect(try text("/a.log").contains("two") && !text("/a.log").contains("three"))
    }
}
