import SeriesModel
import TestSupport
import Testing

@testable import RemoteStorage

@Suite("Receivers whose answers are awkward")
struct AwkwardAnswerTests {
    @Test("a decision is one however broken the body beside it, and is not asked for again")
    func decisions() async throws {
        let receiver = try await TestReceiver.start { number, _ in
            switch number {
            case 0: .raw(Array("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n".utf8))
            case 1:
                .answer(
                    status: "422 Unprocessable Content", headers: ["Content-Encoding": "gzip"],
                    body: Array("not gzip".utf8))
            case 2: .endless(head: "HTTP/1.1 400 Bad Request\r\n\r\n", piece: [UInt8](repeating: 65, count: 65_536))
            default: .endless(head: "HTTP/1.1 200 OK\r\n\r\n", piece: [UInt8](repeating: 65, count: 65_536))
            }
        }
        let bench = SenderBench()
        await bench.apply([
            try SenderBench.section(receiver.url, "name: a, queue_config: {max_samples_per_send: 1, min_backoff: 1ms}")
        ])
        let first: [(UInt32, LabelSet)] = [(1, ["__name__": "m"])]
        for time in 0..<4 as Range<Timestamp> {
            bench.log.append([1], at: time, 1, new: time == 0 ? first : [])
        }
        #expect(await eventually { bench.log.position(of: "name:a") == 4 })
        #expect(receiver.requests.count == 4)
        #expect(bench.total("prometheus_remote_storage_samples_failed_total") == 3)
        #expect(bench.total("prometheus_remote_storage_samples_total") == 1)
        #expect(bench.total("prometheus_remote_storage_samples_retried_total") == 0)
        await bench.stop()
    }
}
