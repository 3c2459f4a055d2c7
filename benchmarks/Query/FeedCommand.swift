import BackendSeries
import RemoteStorage
import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// `feed`: the data of `BackendLayout` and `BackendValues` by remote write 1.0, in time order, to one server or several.
///
/// Deterministic but for the end of the data: the values depend on the seed and the number of the step. The times of an
/// instance lie 137 ms beside the full interval, times its number: as with real scrapes, no sample falls on the boundary
/// of a range, where Prometheus 2 (closed) and 3 (left-open) differ.
struct FeedCommand {
    private let options: FeedOptions
    private var values: BackendValues
    /// In the order of the values.
    private var labels: [LabelSet] = []
    /// Where the workers' series are among all, with the slot of each.
    private var workers: [(index: Int, instance: Int, slot: Int)] = []

    init(arguments: [String]) throws(FeedError) {
        options = try FeedOptions(arguments: arguments)
        values = BackendValues(instances: options.instances, seed: options.seed)
        for instance in 0..<options.instances {
            for (group, series) in BackendLayout.groups(instance: instance) {
                if case .worker(let slot) = group { workers.append((labels.count, instance, slot)) }
                labels += series
            }
        }
    }

    /// Sends everything; prints the figures as one line of JSON.
    mutating func run() throws(FeedError) {
        let interval = options.interval
        let now = Int64(time(nil)) * 1000
        let end = (options.end ?? now) / interval * interval
        let start = end - Int64(options.stepTotal - 1) * interval
        var connections: [LoopbackConnection] = []
        for url in options.urls { connections.append(try LoopbackConnection(url: url, path: options.path)) }
        var sender = BatchSender(connections: connections)
        let began = BatchSender.seconds()
        var step = 0
        while step < options.stepTotal {
            let count = min(options.steps, options.stepTotal - step)
            try sendSteps(from: step, count: count, at: start + Int64(step) * interval, &sender)
            step += count
        }
        try sender.finish()
        let wall = BatchSender.seconds() - began
        let fields: [(String, String)] = [
            ("samples", "\(sender.sampleTotal)"), ("requests", "\(sender.requestTotal)"), ("series", "\(labels.count)"),
            ("start", "\(start)"), ("end", "\(end)"), ("seconds", decimals(wall)),
            ("waited_seconds", decimals(sender.waited)), ("bytes", "\(sender.byteTotal)"),
        ]
        print("{" + fields.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}")
    }

    /// A few steps of all series. Worker series change only between two calls, so that each request holds a series once.
    private mutating func sendSteps(
        from step: Int, count: Int, at time: Int64, _ sender: inout BatchSender
    ) throws(FeedError) {
        var body = WriteRequestWriter()
        for worker in workers {
            let generation = BackendValues.workerGeneration(instance: worker.instance, slot: worker.slot, step: step)
            let name = BackendLayout.worker(worker.slot, generation: generation, worker.instance)
            guard name != labels[worker.index] else { continue }
            if step > 0 {
                body.beginSeries(labels[worker.index])
                body.append(time + FeedCommand.offset(of: worker.instance), StaleMarker.value)
                body.endSeries()
            }
            labels[worker.index] = name
        }
        let total = labels.count
        var columns: [Double] = []
        columns.reserveCapacity(total * count)
        for offset in 0..<count {
            if step + offset > 0 { values.advance() }
            columns += values.values
        }
        for index in 0..<total {
            let first = time + FeedCommand.offset(of: index / BackendLayout.seriesPerInstance)
            body.beginSeries(labels[index])
            for offset in 0..<count {
                body.append(first + Int64(offset) * options.interval, columns[offset * total + index])
            }
            body.endSeries()
            if body.sampleCount + count > options.batch || index == total - 1 {
                try sender.send(body)
                body.removeAll()
            }
        }
    }

    /// ms, below 15 s.
    private static func offset(of instance: Int) -> Int64 { Int64(instance % 100 + 1) * 137 }

    private func decimals(_ seconds: Double) -> String {
        let thousandths = Int64(clamping: Int((seconds * 1000).rounded()))
        let rest = "\(thousandths % 1000)"
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
