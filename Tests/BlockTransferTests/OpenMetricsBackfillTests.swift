import BlockTransfer
import Blocks
import FileIO
import SeriesModel
import TestSupport
import Testing

@Suite("Backfill of a file of OpenMetrics")
struct OpenMetricsBackfillTests {
    private let disk = SimulatedFileSystem()

    private func backfill(_ text: String, length: Int64 = BlockWindows.standard) throws -> [BlockFooter] {
        disk.put("/in.om", Array(text.utf8))
        var backfill = OpenMetricsBackfill(pieceBytes: 5000)
        try backfill.read("/in.om", fileSystem: disk)
        var footers: [BlockFooter] = []
        try backfill.write(to: BlockSink(fileSystem: disk, dataDirectory: "/data"), blockLength: length, now: 5) {
            footers.append($0)
        }
        return footers
    }

    @Test("makes aligned blocks of samples of any age")
    func blocks() throws {
        let footers = try backfill(
            """
            # HELP http_requests The requests.
            # TYPE http_requests counter
            http_requests_total{code="200"} 1 0.5
            http_requests_total{code="200"} 2 7200
            http_requests_total{code="400"} 3 1e9
            # TYPE latency histogram
            latency_bucket{le="1"} 4 -1
            # EOF

            """)
        #expect(footers.map(\.range.min) == [-7_200_000, 0, 7_200_000, 999_993_600_000])
        let content = try TransferFixture.content(disk, "/data")
        #expect(
            content == [
                ["__name__": "http_requests_total", "code": "200"]: [MixedSample(500, 1), MixedSample(7_200_000, 2)],
                ["__name__": "http_requests_total", "code": "400"]: [MixedSample(1_000_000_000_000, 3)],
                ["__name__": "latency_bucket", "le": "1.0"]: [MixedSample(-1000, 4)],
            ])
    }

    @Test("brings samples into order, and keeps the first of two for one time")
    func order() throws {
        _ = try backfill("a 1 20\na 2 10\na 3 20\na 4 30\n# EOF\n")
        #expect(
            try TransferFixture.content(disk, "/data") == [
                ["__name__": "a"]: [MixedSample(10_000, 2), MixedSample(20_000, 1), MixedSample(30_000, 4)]
            ])
    }

    @Test("makes longer blocks where that is asked for")
    func longBlocks() throws {
        #expect(try backfill("a 1 20\na 2 20000\n# EOF\n", length: 6 * 3_600_000).count == 1)
    }

    @Test("reads files of many pieces, and names the line of a mistake in them")
    func largeFile() throws {
        var text = "# TYPE a summary\n"
        for index in 0..<20_000 { text += "a{quantile=\"1\",i=\"\(index % 10)\"} \(index) \(index)\n" }
        _ = try backfill(text + "# EOF\n", length: 54 * 3_600_000)
        let content = try TransferFixture.content(disk, "/data")
        #expect(content.count == 10)
        #expect(content[["__name__": "a", "i": "3", "quantile": "1.0"]]?.count == 2_000)
        #expect {
            try backfill(text + "a{ 1 2\n# EOF\n")
        } throws: { "\($0)".contains("line 20002") }
    }

    @Test(
        "refuses what has no timestamp, no end, or an error",
        arguments: ["a 1\n# EOF\n", "a 1 2\n", "a x 2\n# EOF\n", ""])
    func refusals(text: String) {
        #expect(throws: OpenMetricsBackfill.Failure.self) { try backfill(text) }
    }
}
