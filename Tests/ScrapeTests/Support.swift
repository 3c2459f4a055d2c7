import ConfigTree
import SeriesModel
import StorageAPI
import Synchronization

@testable import Scrape

/// A store that keeps everything it is told, by series, and follows the rules of the real one as far as scraping can
/// see them.
final class RecordingStore: Appendable {
    struct Sample: Equatable, CustomStringConvertible {
        var timestamp: Timestamp
        var value: Double

        static func == (a: Sample, b: Sample) -> Bool {
            a.timestamp == b.timestamp && a.value.bitPattern == b.value.bitPattern
        }

        var description: String {
            StaleMarker.isStale(value) ? "stale@\(timestamp)" : "\(NumberText.apiValue(value))@\(timestamp)"
        }
    }

    private struct State {
        var slots: [LabelSet] = []
        var generation: UInt32 = 1
        var refs: [LabelSet: SeriesRef] = [:]
        var samples: [LabelSet: [Sample]] = [:]
        var batchCount = 0
        var exemplars: [LabelSet: [Exemplar]] = [:]
        var failure: StorageError?
    }

    private let state = Mutex(State())

    func append(_ batch: SampleBatch) async throws -> AppendResult {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.batchCount += 1
            var result = AppendResult()
            result.refs = batch.newSeries.map { labels in
                if let ref = state.refs[labels] { return ref }
                let ref = SeriesRef(slot: UInt32(state.slots.count), generation: state.generation)
                state.slots.append(labels)
                state.refs[labels] = ref
                result.seriesCreated += 1
                return ref
            }
            for index in 0..<batch.count {
                let labels: LabelSet
                switch batch.series[index] {
                case .new(let new): labels = batch.newSeries[new]
                case .known(let ref):
                    guard ref.generation == state.generation, Int(ref.slot) < state.slots.count else {
                        result.rejected.append((index, .unknownSeries))
                        continue
                    }
                    labels = state.slots[Int(ref.slot)]
                }
                let sample = Sample(timestamp: batch.timestamps[index], value: batch.values[index])
                if let last = state.samples[labels]?.last, last.timestamp >= sample.timestamp {
                    if last == sample {
                        result.accepted += 1
                    } else {
                        let isSameTime = last.timestamp == sample.timestamp
                        result.rejected.append((index, isSameTime ? .duplicateTimestamp : .outOfOrder))
                    }
                    continue
                }
                state.samples[labels, default: []].append(sample)
                result.accepted += 1
            }
            for (series, exemplar) in batch.exemplars {
                switch series {
                case .new(let new): state.exemplars[batch.newSeries[new], default: []].append(exemplar)
                case .known(let ref):
                    guard ref.generation == state.generation, Int(ref.slot) < state.slots.count else { continue }
                    let labels = state.slots[Int(ref.slot)]
                    if let last = state.exemplars[labels]?.last, exemplar.precedes(last) {
                        result.exemplarsOutOfOrder += 1
                    } else {
                        state.exemplars[labels, default: []].append(exemplar)
                    }
                }
            }
            return result
        }
    }

    /// All references die, as after series have left the head.
    func forgetReferences() {
        state.withLock { state in
            state.generation += 1
            state.refs = [:]
            state.slots = []
        }
    }

    /// In the order in which they came, by the notation of PromQL.
    func exemplars(_ notation: String) -> [Exemplar] {
        state.withLock { state in
            state.exemplars.first { $0.key.metricNotation == notation }?.value ?? []
        }
    }

    func setFailure(_ failure: StorageError?) { state.withLock { $0.failure = failure } }

    var batchCount: Int { state.withLock { $0.batchCount } }

    var series: [LabelSet] { state.withLock { $0.samples.keys.sorted() } }

    func samples(_ labels: LabelSet) -> [Sample] { state.withLock { $0.samples[labels] ?? [] } }

    /// The newest value of a series, by the notation of PromQL.
    func last(_ notation: String) -> Sample? {
        state.withLock { state in
            state.samples.first { $0.key.metricNotation == notation }?.value.last
        }
    }

    func all(_ notation: String) -> [Sample] {
        state.withLock { state in
            state.samples.first { $0.key.metricNotation == notation }?.value ?? []
        }
    }
}

/// Parses YAML written in a test.
func yaml(_ text: String) throws -> ConfigNode { try ConfigNode.parse(text, file: "test.yml") }

/// One scrape job from YAML.
func job(_ text: String, globals: String = "") throws -> ScrapeConfig {
    let globals = try ScrapeGlobals(globals.isEmpty ? nil : yaml(globals), baseDirectory: "/etc/hearth")
    let configs = try ScrapeConfig.parseAll([yaml(text)], globals: globals, baseDirectory: "/etc/hearth")
    guard let first = configs.first else { throw ConfigError(file: "test.yml", message: "no job") }
    return first
}

/// A target without discovery.
func makeTarget(_ labels: LabelSet = ["instance": "t:1", "job": "j"], interval: Int64 = 15_000) -> Target {
    Target(
        identity: Target.Identity(labels: labels, url: "http://t:1/metrics"), discoveredLabels: labels, labels: labels,
        interval: interval, timeout: 10_000)
}
