#if canImport(Glibc)
    import Glibc
#endif

/// The values of all series of some instances, one step after the other. They depend on the seed and on the number of
/// the step alone.
package struct BackendValues {
    /// Steps after which a worker's series gives way to another.
    private static let workerLife = 960
    /// Steps between two restarts of an instance: its counters start again from 0.
    private static let restartInterval = 5000

    /// The current value of each series, in the order of the layout, instance after instance.
    package private(set) var values: [Double]
    private let groups: [BackendLayout.Group]
    private var random: [SeededRandom]
    private var step = 0

    package init(instances: Int, seed: UInt64) {
        groups = BackendLayout.groups(instance: 0).map(\.group)
        values = [Double](repeating: 0, count: instances * BackendLayout.seriesPerInstance)
        random = (0..<instances).map { SeededRandom(seed: seed &* 1_000_003 &+ UInt64($0)) }
        for instance in 0..<instances { start(instance) }
    }

    /// Which series of a worker's slot is alive at a step.
    package static func workerGeneration(instance: Int, slot: Int, step: Int) -> Int {
        (step + instance * 97 + slot * 480) / workerLife
    }

    /// Goes on to the next step.
    package mutating func advance() {
        step += 1
        // The load of a day: quiet at its ends, busy in the middle.
        let load = 1 - 0.7 * cos(Double(step) * 2 * .pi / 5760)
        for instance in random.indices {
            if (step + instance * 571) % BackendValues.restartInterval == 0 { restart(instance) }
            var generator = random[instance]
            var at = instance * BackendLayout.seriesPerInstance
            for group in groups {
                update(group, at, instance, load, &generator)
                at += group.seriesTotal
            }
            random[instance] = generator
        }
    }

    // MARK: Steps of a group

    private mutating func update(
        _ group: BackendLayout.Group, _ at: Int, _ instance: Int, _ load: Double, _ random: inout SeededRandom
    ) {
        switch group {
        case .requests(let handler):
            serve(at, mean: 60 * load / Double(1 + handler * handler / 4), slow: Double(handler % 7), &random)
        case .cpu:
            spend(at, load, &random)
        case .counter(let mean):
            values[at] += random.count(around: mean * load)
        case .level(let most):
            let change = (random.unit() * 5 - 2.5).rounded(.toNearestOrAwayFromZero)
            values[at] = min(most, max(0, values[at] + change))
        case .bytes:
            let change = random.unit() < 0.4 ? (random.unit() * 65 - 32).rounded(.down) * 4096 : 0
            values[at] = max(64 * 1_048_576, values[at] + change)
        case .measurement:
            values[at] += (random.unit() - 0.5) * 3 - (values[at] - 100) * 0.001
        case .constant:
            break
        case .worker(let slot):
            let generation = BackendValues.workerGeneration(instance: instance, slot: slot, step: step)
            let before = BackendValues.workerGeneration(instance: instance, slot: slot, step: step - 1)
            values[at] = generation == before ? values[at] + random.count(around: 4 * load) : 0
        }
    }

    /// Requests of one handler: their number by status, their durations into the buckets.
    private mutating func serve(_ at: Int, mean: Double, slow: Double, _ random: inout SeededRandom) {
        let statusTotal = BackendLayout.statuses.count
        let boundTotal = BackendLayout.bounds.count
        let total = random.count(around: mean)
        guard total > 0 else { return }
        let bad = random.unit() < 0.3 ? random.count(around: total * 0.03) : 0
        let failed = random.unit() < 0.08 ? random.count(around: total * 0.02) : 0
        values[at] += max(0, total - bad - failed)
        values[at + 1] += bad
        values[at + 2] += failed
        // The durations lie around a bucket of the handler's own, a share of the rest in each bucket further out.
        var left = total
        var seconds = 0.0
        var below = 0.0
        let middle = 3 + Int(slow / 2)
        for bucket in 0..<boundTotal {
            let here: Double
            if bucket == boundTotal - 1 {
                here = left
            } else if bucket < middle {
                here = left > 8 ? (left * 0.12 * random.unit()).rounded(.down) : 0
            } else {
                here = min(left, (left * (0.45 + 0.4 * random.unit()) + random.unit()).rounded(.down))
            }
            left -= here
            below += here
            seconds += here * 0.004 * Double(1 << bucket) * (0.5 + random.unit())
            values[at + statusTotal + bucket] += below
        }
        values[at + statusTotal + boundTotal] += seconds
        values[at + statusTotal + boundTotal + 1] += total
    }

    /// 15 s of one CPU, in hundredths.
    private mutating func spend(_ at: Int, _ load: Double, _ random: inout SeededRandom) {
        let user = (min(1, load * 0.4) * 1500 * random.unit()).rounded(.down)
        let system = (user * 0.3 * random.unit()).rounded(.down)
        let waiting = random.unit() < 0.2 ? (20 * random.unit()).rounded(.down) : 0
        let soft = random.unit() < 0.5 ? 1.0 : 0
        let idle = max(0, 1500 - user - system - waiting - soft)
        for (offset, hundredths) in [(0, idle), (1, waiting), (4, soft), (6, system), (7, user)] {
            let before = (values[at + offset] * 100).rounded(.toNearestOrAwayFromZero)
            values[at + offset] = (before + hundredths) / 100
        }
    }

    // MARK: Start

    private mutating func start(_ instance: Int) {
        var at = instance * BackendLayout.seriesPerInstance
        for group in groups {
            switch group {
            case .constant(let value): values[at] = value
            case .level(let most): values[at] = (random[instance].unit() * most).rounded(.down)
            case .bytes: values[at] = (200 + random[instance].unit() * 300).rounded(.down) * 1_048_576
            case .measurement: values[at] = random[instance].unit() * 200
            case .requests, .cpu, .counter, .worker: break
            }
            at += group.seriesTotal
        }
    }

    private mutating func restart(_ instance: Int) {
        var at = instance * BackendLayout.seriesPerInstance
        for group in groups {
            switch group {
            case .requests, .counter, .worker:
                for index in at..<at + group.seriesTotal { values[index] = 0 }
            case .cpu, .level, .bytes, .measurement, .constant: break
            }
            at += group.seriesTotal
        }
    }
}
