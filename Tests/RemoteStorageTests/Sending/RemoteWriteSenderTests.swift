import ConfigTree
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import RemoteStorage

@Suite("Sending by remote write")
struct RemoteWriteSenderTests {
    private static let now: Timestamp = 1_700_000_000_000

    private static let first: [(UInt32, LabelSet)] = [(1, series(1))]
    private static let third: [(UInt32, LabelSet)] = [(2, series(3))]

    private static func series(_ number: UInt32) -> LabelSet { ["__name__": "m", "n": "\(number)"] }

    @Test("everything arrives once, in order within each series", arguments: RemoteWriteSection.Message.allCases)
    func inOrder(version: RemoteWriteSection.Message) async throws {
        let receiver = try await TestReceiver.start { _, request in
            .answer(
                status: "204 No Content",
                headers: ["X-Prometheus-Remote-Write-Samples-Written": "\(request.decoded.series.count)"], body: [])
        }
        let bench = SenderBench()
        let keys =
            "protobuf_message: \(version.rawValue), queue_config: {min_shards: 3, max_samples_per_send: 7, "
            + "capacity: 14, batch_send_deadline: 40ms}"
        await bench.apply([try SenderBench.section(receiver.url, "name: a, " + keys)])
        let numbers = Array(0..<40 as Range<UInt32>)
        for time in 0..<30 as Range<Timestamp> {
            bench.log.append(
                numbers, at: time, Double(time), new: time == 0 ? numbers.map { ($0, Self.series($0)) } : [])
        }
        #expect(await eventually { receiver.sampleCount >= 1200 })
        #expect(await eventually { bench.log.position(of: "name:a") == 30 })
        let samples = receiver.samples
        #expect(samples.count == 40)
        for number in numbers { #expect(samples[Self.series(number)]?.map(\.0) == (0..<30).map { Timestamp($0) }) }
        #expect(bench.total("prometheus_remote_storage_samples_total") == 1200)
        #expect(bench.total("prometheus_remote_storage_samples_failed_total") == 0)
        #expect(bench.metric("prometheus_remote_storage_samples_in_total") == 1200)
        #expect(receiver.malformedCount == 0)
        await bench.stop()
    }

    @Test("requests have the headers of the protocol, and the entry's own")
    func headers() async throws {
        let receiver = try await TestReceiver.start { number, _ in
            number == 0 ? .answer(status: "500 Oh", body: []) : TestReceiver.accepted
        }
        let bench = SenderBench()
        await bench.apply([try SenderBench.section(receiver.url, "headers: {X-Scope-OrgID: me}, " + SenderBench.quick)])
        bench.log.append([1], at: 5, 1, new: [(1, Self.series(1))])
        #expect(await eventually { receiver.sampleCount == 1 })
        let headers = receiver.requests.map(\.headers)
        #expect(headers.first?["content-type"] == "application/x-protobuf")
        #expect(headers.first?["content-encoding"] == "snappy")
        #expect(headers.first?["user-agent"] == "Prometheus/3.14.0")
        #expect(headers.first?["x-prometheus-remote-write-version"] == "0.1.0")
        #expect(headers.first?["x-scope-orgid"] == "me")
        #expect(headers.map { $0["retry-attempt"] } == [nil, "1"])
        #expect(bench.total("prometheus_remote_storage_samples_retried_total") == 1)
        await bench.stop()
    }

    @Test("external labels and rules are applied; dropped series are counted, not sent")
    func labels() async throws {
        let receiver = try await TestReceiver.start()
        let bench = SenderBench()
        let rules =
            "write_relabel_configs: [{action: drop, source_labels: [n], regex: '2'}, "
            + "{source_labels: [region], target_label: r}], "
        await bench.apply([try SenderBench.section(receiver.url, rules + SenderBench.quick)], external: ["region": "x"])
        bench.log.append([1, 2, 9], at: 5, 1, new: [(1, Self.series(1)), (2, Self.series(2))])
        #expect(await eventually { receiver.sampleCount == 1 })
        #expect(Array(receiver.samples.keys) == [["__name__": "m", "n": "1", "r": "x", "region": "x"]])
        let text = bench.registry.exposition()
        #expect(text.contains("samples_dropped_total{reason=\"dropped_series\""))
        #expect(bench.total("prometheus_remote_storage_samples_dropped_total") == 2)
        await bench.stop()
    }

    @Test("series that were there before are known, and a number's new series is told from its old one")
    func numbers() async throws {
        let receiver = try await TestReceiver.start()
        let log = MemoryLog()
        log.append([1], at: 1, 1, new: [(1, Self.series(1))])
        let bench = SenderBench(log: log)
        await bench.apply([try SenderBench.section(receiver.url, SenderBench.quick)])
        log.append([1], at: 2, 2)
        log.append([1], at: 3, 3, new: [(1, Self.series(100))])
        #expect(await eventually { receiver.sampleCount == 2 })
        // The first record was there before the consumer.
        #expect(receiver.times(of: Self.series(1)) == [2])
        #expect(receiver.times(of: Self.series(100)) == [3])
        await bench.stop()
    }

    @Test("a receiver that asks for patience is tried again after the time that it names")
    func retryAfter() async throws {
        let clock = ManualClock(now: Self.now)
        let times = Mutex<[Timestamp]>([])
        let receiver = try await TestReceiver.start { number, _ in
            times.withLock { $0.append(clock.now()) }
            return number == 0
                ? .answer(status: "503 Service Unavailable", headers: ["Retry-After": "30"], body: [])
                : TestReceiver.accepted
        }
        let bench = SenderBench(clock: clock)
        await bench.apply([try SenderBench.section(receiver.url, "queue_config: {max_samples_per_send: 1}")])
        bench.log.append([1], at: Self.now, 1, new: [(1, Self.series(1))])
        #expect(await eventually { receiver.requests.count == 1 })
        #expect(
            await eventually {
                clock.advance(by: 1000)
                return receiver.sampleCount == 1
            })
        let waited = times.withLock { $0 }
        #expect(waited.count == 2 && waited[1] - waited[0] >= 30_000)
        let isStopping = Task { await bench.stop() }
        #expect(
            await eventually {
                clock.advance(by: 1000); return bench.log.state.withState { $0.openConsumers.isEmpty }
            })
        await isStopping.value
    }

    @Test("what a receiver refuses is dropped, counted, told once, and does not hold up the rest")
    func refused() async throws {
        let receiver = try await TestReceiver.start { number, _ in
            number < 3
                ? .answer(status: "400 Bad Request", body: Array("out of order\nmore".utf8)) : TestReceiver.accepted
        }
        let bench = SenderBench()
        let keys = "queue_config: {max_samples_per_send: 1, min_backoff: 1ms}"
        await bench.apply([try SenderBench.section(receiver.url, keys)])
        for time in 0..<5 as Range<Timestamp> {
            bench.log.append([1], at: time, 1, new: time == 0 ? Self.first : [])
        }
        #expect(await eventually { receiver.sampleCount == 2 })
        #expect(receiver.times(of: Self.series(1)) == [3, 4])
        #expect(bench.total("prometheus_remote_storage_samples_failed_total") == 3)
        #expect(bench.total("prometheus_remote_storage_samples_retried_total") == 0)
        let told = bench.lines.lines.filter { $0.hasPrefix("Remote write receiver refuses samples") }
        #expect(told.count == 1)
        #expect(
            told.first?.contains("err=server returned HTTP status 400 Bad Request: out of order exemplars=0") == true)
        await bench.stop()
    }

    @Test("too many requests are tried again only where that is configured", arguments: [false, true])
    func rateLimit(retries: Bool) async throws {
        let receiver = try await TestReceiver.start { number, _ in
            number == 0 ? .answer(status: "429 Too Many Requests", body: []) : TestReceiver.accepted
        }
        let bench = SenderBench()
        let keys = "queue_config: {max_samples_per_send: 1, min_backoff: 1ms, retry_on_http_429: \(retries)}"
        await bench.apply([try SenderBench.section(receiver.url, keys)])
        for time in 0..<2 as Range<Timestamp> {
            bench.log.append([1], at: time, 1, new: time == 0 ? Self.first : [])
        }
        #expect(await eventually { receiver.times(of: Self.series(1)).last == 1 })
        #expect(receiver.times(of: Self.series(1)) == (retries ? [0, 1] : [1]))
        await bench.stop()
    }

    @Test("nothing is released before it is delivered, and the reader goes no further than the shards have room")
    func backpressure() async throws {
        let isOpen = Atomic(false)
        let receiver = try await TestReceiver.start { _, _ in
            isOpen.load(ordering: .relaxed) ? TestReceiver.accepted : .answer(status: "500 Oh", body: [])
        }
        let bench = SenderBench()
        let keys =
            "name: a, queue_config: {max_samples_per_send: 2, capacity: 4, min_backoff: 1ms, max_backoff: 5ms, "
            + "batch_send_deadline: 40ms}"
        await bench.apply([try SenderBench.section(receiver.url, keys)])
        for time in 0..<100 as Range<Timestamp> {
            bench.log.append([1], at: time, 1, new: time == 0 ? Self.first : [])
        }
        #expect(await eventually { bench.total("prometheus_remote_storage_enqueue_retries_total") > 0 })
        #expect(await eventually { receiver.requests.count > 5 })
        // Two full batches, an open one, one under way, and the record that waits.
        #expect(bench.log.lastRead <= 9)
        #expect(bench.log.position(of: "name:a") == 0)
        #expect(bench.total("prometheus_remote_storage_samples_pending") <= 8)
        isOpen.store(true, ordering: .relaxed)
        #expect(await eventually { bench.log.position(of: "name:a") == 100 })
        #expect(receiver.times(of: Self.series(1)) == (0..<100).map { Timestamp($0) })
        await bench.stop()
    }

    @Test("after a restart it goes on behind what was delivered")
    func restart() async throws {
        let isDown = Atomic(false)
        let receiver = try await TestReceiver.start { _, _ in
            isDown.load(ordering: .relaxed) ? .answer(status: "500 Oh", body: []) : TestReceiver.accepted
        }
        let log = MemoryLog()
        let section = try SenderBench.section(receiver.url, "name: a, " + SenderBench.quick)
        let first = SenderBench(log: log) { $0.flushDeadline = 50 }
        await first.apply([section])
        for time in 0..<10 as Range<Timestamp> {
            log.append([1], at: time, 1, new: time == 0 ? Self.first : [])
        }
        #expect(await eventually { log.position(of: "name:a") == 10 })
        isDown.store(true, ordering: .relaxed)
        for time in 10..<20 as Range<Timestamp> { log.append([1], at: time, 1) }
        let requests = receiver.requests.count
        #expect(await eventually { receiver.requests.count > requests })
        await first.stop()
        #expect(first.lines.lines.contains { $0.hasPrefix("Failed to flush all samples on shutdown") })
        #expect(log.position(of: "name:a") == 10)
        log.append([1], at: 20, 1)
        isDown.store(false, ordering: .relaxed)
        let second = SenderBench(log: log)
        await second.apply([section])
        #expect(await eventually { log.position(of: "name:a") == 21 })
        #expect(receiver.times(of: Self.series(1)) == (0..<21).map { Timestamp($0) })
        await second.stop()
    }

    @Test("what was delivered before a kill has nothing lost that comes after it", arguments: [1, 3])
    func repeated(recordsBeforeKill: Int) async throws {
        // Refuses the whole of a request for one sample that is not newer.
        let newest = Mutex<[LabelSet: Timestamp]>([:])
        let receiver = try await TestReceiver.start { _, request in
            newest.withLock { newest in
                var next = newest
                for series in request.decoded.series {
                    for case .float(let time, _) in series.samples {
                        guard time > next[series.labels] ?? -1 else {
                            return .answer(status: "400 Bad Request", body: [])
                        }
                        next[series.labels] = time
                    }
                }
                newest = next
                return TestReceiver.accepted
            }
        }
        let log = MemoryLog()
        log.append([1, 2], at: 0, 1, new: [(1, Self.series(1)), (2, Self.series(2))])
        for time in 1..<20 as Range<Timestamp> { log.append([1, 2], at: time, 1) }
        newest.withLock { newest in
            for number in [1, 2] as [UInt32] { newest[Self.series(number)] = Timestamp(recordsBeforeKill) }
        }
        log.state.withState { $0.positions["name:a"] = 1 }
        let bench = SenderBench(log: log)
        await bench.apply([try SenderBench.section(receiver.url, "name: a, queue_config: {batch_send_deadline: 40ms}")])
        #expect(await eventually { log.position(of: "name:a") == 20 })
        for number in [1, 2] as [UInt32] {
            #expect(
                receiver.times(of: Self.series(number)) == (recordsBeforeKill + 1..<20).map { Timestamp($0) })
        }
        log.append([1], at: 1, 1)
        #expect(await eventually { log.position(of: "name:a") == 21 })
        await bench.stop()
    }

    @Test("stopping sends what the log has")
    func flushOnStop() async throws {
        let receiver = try await TestReceiver.start()
        let bench = SenderBench()
        await bench.apply([try SenderBench.section(receiver.url, "queue_config: {batch_send_deadline: 1h}")])
        for time in 0..<10 as Range<Timestamp> {
            bench.log.append([1], at: time, 1, new: time == 0 ? Self.first : [])
        }
        await bench.stop()
        #expect(receiver.times(of: Self.series(1)) == (0..<10).map { Timestamp($0) })
        #expect(bench.log.state.withState { $0.openConsumers.isEmpty })
    }

    @Test("a batch that does not fill up is sent when its deadline is over")
    func deadline() async throws {
        let clock = ManualClock(now: Self.now)
        let receiver = try await TestReceiver.start()
        let bench = SenderBench(clock: clock)
        await bench.apply([try SenderBench.section(receiver.url, "metadata_config: {send: false}")])
        bench.log.append([1], at: Self.now, 1, new: [(1, Self.series(1))])
        #expect(await eventually { bench.total("prometheus_remote_storage_samples_pending") == 1 })
        let start = clock.now()
        #expect(
            await eventually {
                clock.advance(by: 625)
                return receiver.sampleCount == 1
            })
        #expect(clock.now() - start >= 5000)
        let isStopping = Task { await bench.stop() }
        #expect(
            await eventually {
                clock.advance(by: 1000); return bench.log.state.withState { $0.openConsumers.isEmpty }
            })
        await isStopping.value
    }

    @Test("samples beyond the age limit are dropped, also those that grow too old while the receiver is down")
    func ageLimit() async throws {
        let clock = ManualClock(now: Self.now)
        let receiver = try await TestReceiver.start { number, _ in
            guard number == 0 else { return TestReceiver.accepted }
            clock.advance(by: 70_000)
            return .answer(status: "500 Oh", body: [])
        }
        let bench = SenderBench(clock: clock)
        let keys = "metadata_config: {send: false}, queue_config: {max_samples_per_send: 2, sample_age_limit: 2m}"
        await bench.apply([try SenderBench.section(receiver.url, keys)])
        bench.log.append { record in
            record.newSeries = [(1, Self.series(1))]
            record.add(1, Self.now - 200_000, 1)
            record.add(1, Self.now - 60_000, 2)
            record.add(1, Self.now, 3)
        }
        #expect(
            await eventually {
                clock.advance(by: 10)
                return receiver.sampleCount == 1
            })
        #expect(receiver.requests.map(\.decoded.series.count) == [2, 1])
        #expect(receiver.times(of: Self.series(1)) == [Self.now])
        let text = bench.registry.exposition()
        #expect(text.contains("samples_dropped_total{reason=\"too_old\""))
        #expect(bench.total("prometheus_remote_storage_samples_dropped_total") == 2)
        let isStopping = Task { await bench.stop() }
        #expect(
            await eventually {
                clock.advance(by: 1000); return bench.log.state.withState { $0.openConsumers.isEmpty }
            })
        await isStopping.value
    }

    @Test("histograms and exemplars go where they are asked for, custom buckets with version 2 only")
    func histogramsAndExemplars() async throws {
        let receivers = [
            try await TestReceiver.start(), try await TestReceiver.start(), try await TestReceiver.start(),
        ]
        let bench = SenderBench()
        let both = "send_exemplars: true, send_native_histograms: true, " + SenderBench.quick
        await bench.apply([
            try SenderBench.section(receivers[0].url, "name: plain, " + SenderBench.quick),
            try SenderBench.section(receivers[1].url, "name: first, " + both),
            try SenderBench.section(
                receivers[2].url, "name: second, protobuf_message: io.prometheus.write.v2.Request, " + both),
        ])
        let custom = NativeHistogram(
            schema: NativeHistogram.customSchema, count: 3, sum: 2, positiveSpans: [.init(offset: 0, length: 2)],
            positiveBuckets: [1, 2], customBounds: [0.5, 1])
        let exemplar = Exemplar(labels: ["trace_id": "a"], value: 1, timestamp: 3)
        bench.log.append { record in
            record.newSeries = [(1, Self.series(1))]
            record.add(1, 1, 0.5)
            record.add(1, 2, Histograms.simple(4))
            record.add(1, 3, custom)
            record.exemplars = [SeriesExemplar(series: Self.series(1), exemplar: exemplar)]
        }
        func histogramCount(_ receiver: TestReceiver) -> Int {
            receiver.requests.flatMap(\.decoded.series).flatMap(\.samples).count { sample in
                if case .histogram = sample { true } else { false }
            }
        }
        #expect(await eventually { receivers.allSatisfy { !$0.requests.isEmpty } })
        #expect(
            await eventually { ["plain", "first", "second"].allSatisfy { bench.log.position(of: "name:" + $0) == 1 } })
        #expect(receivers.map(histogramCount) == [0, 1, 2])
        let exemplars = receivers.map { $0.requests.flatMap(\.decoded.series).flatMap(\.exemplars) }
        #expect(exemplars == [[], [exemplar], [exemplar]])
        #expect(bench.registry.exposition().contains("histograms_dropped_total{reason=\"nhcb_in_rw1_not_supported\""))
        #expect(bench.total("prometheus_remote_storage_histograms_dropped_total") == 1)
        await bench.stop()
    }

    @Test("with version 2 success that says nothing of samples is failure, and what was not written is counted")
    func writtenCounts() async throws {
        let receiver = try await TestReceiver.start { number, _ in
            switch number {
            case 0: TestReceiver.accepted
            case 1:
                .answer(
                    status: "200 OK", headers: ["X-Prometheus-Remote-Write-Samples-Written": "1"],
                    body: Array("thanks".utf8))
            default: .answer(status: "415 Unsupported Media Type", body: [])
            }
        }
        let bench = SenderBench()
        let keys = "protobuf_message: io.prometheus.write.v2.Request, queue_config: {max_samples_per_send: 2}"
        await bench.apply([try SenderBench.section(receiver.url, keys)])
        for time in 0..<6 as Range<Timestamp> {
            bench.log.append([1], at: time, 1, new: time == 0 ? Self.first : [])
        }
        #expect(await eventually { bench.total("prometheus_remote_storage_samples_failed_total") == 5 })
        #expect(bench.total("prometheus_remote_storage_samples_total") == 1)
        #expect(receiver.requests.first?.headers["x-prometheus-remote-write-version"] == "2.0.0")
        #expect(
            receiver.requests.first?.headers["content-type"]
                == "application/x-protobuf;proto=io.prometheus.write.v2.Request")
        await bench.stop()
    }

    @Test("metadata is sent in requests of its own with version 1, and with the series with version 2")
    func metadata() async throws {
        let receivers = [try await TestReceiver.start(), try await TestReceiver.start()]
        let clock = ManualClock(now: Self.now)
        let bench = SenderBench(clock: clock) { options in
            options.metadata = {
                ["m": [MetricMetadata(kind: .gauge, help: "An m.", unit: "s")], "x": [MetricMetadata(kind: .info)]]
            }
        }
        await bench.apply([
            try SenderBench.section(receivers[0].url, "metadata_config: {max_samples_per_send: 1}"),
            try SenderBench.section(
                receivers[1].url,
                "protobuf_message: io.prometheus.write.v2.Request, queue_config: {max_samples_per_send: 1}"),
        ])
        #expect(
            await eventually {
                clock.advance(by: 10_000)
                return receivers[0].requests.count >= 2
            })
        let sent = receivers[0].requests.prefix(2).map(\.decoded.metadata)
        #expect(sent.map(\.count) == [1, 1])
        #expect(sent.first?.first?.family == "m" && sent.first?.first?.kind == 2)
        #expect(sent.first?.first?.help == "An m." && sent.first?.first?.unit == "s")
        #expect(await eventually { bench.total("prometheus_remote_storage_metadata_total") >= 2 })
        bench.log.append([1], at: Self.now, 1, new: [(1, Self.series(1))])
        #expect(await eventually { !receivers[1].requests.isEmpty })
        let found = receivers[1].requests.first?.decoded.series.first?.metadata
        #expect(found?.kind == 2 && found?.help == "An m." && found?.unit == "s")
        let isStopping = Task { await bench.stop() }
        #expect(
            await eventually {
                clock.advance(by: 1000); return bench.log.state.withState { $0.openConsumers.isEmpty }
            })
        await isStopping.value
    }

    @Test("a receiver that drips, floods or talks nonsense holds up for a bounded time")
    func hostile() async throws {
        let receiver = try await TestReceiver.start { number, _ in
            switch number {
            case 0: .drip(head: "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", piece: [0x41], pause: 10)
            case 1: .endless(head: "HTTP/1.1 500 Oh\r\n\r\n", piece: [UInt8](repeating: 0x41, count: 65_536))
            case 2: .raw(Array("HTTP/1.1 \u{1}\u{2} nonsense\r\n: :\r\n\r\n".utf8))
            case 3: .close
            case 4: .hang
            case 5: .answer(status: "500 Oh", headers: ["Retry-After": "nonsense"], body: [0xFF, 0xFE])
            default: TestReceiver.accepted
            }
        }
        let bench = SenderBench()
        await bench.apply([try SenderBench.section(receiver.url, "remote_timeout: 300ms, " + SenderBench.quick)])
        bench.log.append([1], at: 5, 1, new: [(1, Self.series(1))])
        #expect(await eventually { receiver.sampleCount == 1 })
        #expect(receiver.requests.count == 7)
        #expect(bench.total("prometheus_remote_storage_samples_failed_total") == 0)
        await bench.stop()
    }

    @Test("stopping is not held up by a receiver that hangs")
    func stopDespiteHanging() async throws {
        let receiver = try await TestReceiver.start { _, _ in .hang }
        let bench = SenderBench { $0.flushDeadline = 30 }
        await bench.apply([try SenderBench.section(receiver.url, SenderBench.quick)])
        bench.log.append([1], at: 5, 1, new: [(1, Self.series(1))])
        #expect(await eventually { receiver.requests.count == 1 })
        await bench.stop()
        #expect(bench.log.state.withState { $0.openConsumers.isEmpty })
    }

    @Test("a log that cannot be read for a while is tried again, and nothing arrives twice")
    func logFails() async throws {
        let isOpen = Atomic(false)
        let receiver = try await TestReceiver.start { _, _ in
            isOpen.load(ordering: .relaxed) ? TestReceiver.accepted : .answer(status: "500 Oh", body: [])
        }
        let log = MemoryLog()
        log.append([1, 2], at: 0, 1, new: [(1, Self.series(1)), (2, Self.series(2))])
        log.state.withState { state in
            state.failureCount = 1
            state.unreadable = 6
        }
        let bench = SenderBench(log: log) { $0.logRetryPause = 5 }
        await bench.apply([try SenderBench.section(receiver.url, "name: a, " + SenderBench.quick)])
        for time in 1..<10 as Range<Timestamp> {
            // The second number becomes another series' before the failure.
            log.append([1, 2], at: time, 1, new: time == 4 ? Self.third : [])
        }
        let complaint = "Error reading the log for remote write"
        #expect(await eventually { bench.lines.lines.count { $0.hasPrefix(complaint) } == 2 })
        #expect(await eventually { log.lastRead == 10 })
        isOpen.store(true, ordering: .relaxed)
        #expect(await eventually { log.position(of: "name:a") == 10 })
        #expect(receiver.times(of: Self.series(1)) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(receiver.times(of: Self.series(2)) == [1, 2, 3])
        #expect(receiver.times(of: Self.series(3)) == [4, 5, 6, 7, 8, 9])
        await bench.stop()
    }

    @Test("a reload leaves unchanged queues alone, and starts changed ones anew behind what was delivered")
    func reload() async throws {
        let receivers = [try await TestReceiver.start(), try await TestReceiver.start()]
        let bench = SenderBench()
        let kept = try SenderBench.section(receivers[0].url, "name: kept, " + SenderBench.quick)
        let changed = try SenderBench.section(receivers[1].url, "name: changed, " + SenderBench.quick)
        await bench.apply([kept, changed])
        bench.log.append([1], at: 0, 1, new: [(1, Self.series(1))])
        #expect(await eventually { receivers.allSatisfy { $0.sampleCount == 1 } })
        let changedAgain = try SenderBench.section(
            receivers[1].url, "name: changed, headers: {X-New: 'yes'}, " + SenderBench.quick)
        await bench.apply([changedAgain, kept])
        // Of the queue that was kept.
        #expect(await eventually { bench.total("prometheus_remote_storage_samples_total") == 1 })
        bench.log.append([1], at: 1, 1)
        #expect(await eventually { receivers.allSatisfy { $0.sampleCount == 2 } })
        #expect(receivers[1].requests.map { $0.headers["x-new"] } == [nil, "yes"])
        #expect(receivers.map { $0.times(of: Self.series(1)) } == [[0, 1], [0, 1]])
        await bench.apply([kept])
        #expect(bench.log.state.withState { $0.keptConsumers } == ["name:kept"])
        #expect(!bench.registry.exposition().contains("remote_name=\"changed\""))
        await bench.apply([kept], external: ["a": "b"])
        bench.log.append([1], at: 2, 1)
        #expect(await eventually { receivers[0].times(of: ["__name__": "m", "a": "b", "n": "1"]) == [2] })
        await bench.stop()
    }

    @Test("new secrets reach a queue without starting it anew")
    func newSecrets() async throws {
        let receiver = try await TestReceiver.start()
        let bench = SenderBench()
        func section(_ password: String) throws -> RemoteWriteSection {
            try SenderBench.section(
                receiver.url, "name: a, basic_auth: {username: u, password: \(password)}, " + SenderBench.quick)
        }
        await bench.apply([try section("old")])
        bench.log.append([1], at: 0, 1, new: [(1, Self.series(1))])
        #expect(await eventually { receiver.sampleCount == 1 })
        await bench.apply([try section("new")])
        bench.log.append([1], at: 1, 1)
        #expect(await eventually { receiver.sampleCount == 2 })
        let sent = receiver.requests.map { $0.headers["authorization"] }
        #expect(sent.count == 2 && sent[0] != sent[1])
        #expect(await eventually { bench.total("prometheus_remote_storage_samples_total") == 2 })
        await bench.stop()
    }

    @Test("all metrics are there from the start")
    func metricsFromTheStart() async throws {
        let receiver = try await TestReceiver.start()
        let bench = SenderBench { $0.newestTimestamp = { 5_500 } }
        await bench.apply([try SenderBench.section(receiver.url, "name: a")])
        let text = bench.registry.exposition()
        let labels = "{remote_name=\"a\",url=\"\(receiver.url)\"}"
        for (name, value) in [
            ("samples_total", "0"), ("exemplars_failed_total", "0"), ("histograms_retried_total", "0"),
            ("samples_pending", "0"), ("shards", "1"), ("shards_max", "50"), ("shards_min", "1"),
            ("shards_desired", "1"), ("shard_capacity", "10000"), ("max_samples_per_send", "2000"),
            ("bytes_total", "0"), ("metadata_bytes_total", "0"), ("queue_highest_sent_timestamp_seconds", "0"),
            ("enqueue_retries_total", "0"), ("sent_batch_duration_seconds_count", "0"), ("metadata_failed_total", "0"),
        ] {
            #expect(text.contains("prometheus_remote_storage_\(name)\(labels) \(value)\n"), "\(name)")
        }
        #expect(bench.metric("prometheus_remote_storage_highest_timestamp_in_seconds") == 5)
        #expect(bench.metric("prometheus_remote_storage_samples_in_total") == 0)
        #expect(bench.metric("prometheus_wal_watcher_current_segment{consumer=\"a\"}") == 7)
        #expect(bench.metric("prometheus_wal_watcher_record_decode_failures_total{consumer=\"a\"}") == 0)
        await bench.stop()
    }
}
