import BackendSeries

/// What to send where.
struct FeedOptions {
    static let usage = """
        usage: QueryBenchmark feed --to URL [--to URL…] [--series 5000] [--hours 24] [--interval 15] [--end SECONDS]
                                   [--seed 42] [--batch 8000] [--steps 8] [--path /api/v1/write]
        --end is the Unix time of the last step (default: now). A request holds --steps steps of so many series that
        there are at most --batch samples. Without --to the data are only made and encoded.
        """

    var urls: [String] = []
    var path = "/api/v1/write"
    var instances = 10
    var hours = 24.0
    /// ms
    var interval: Int64 = 15_000
    /// ms; nil: now.
    var end: Int64?
    var seed: UInt64 = 42
    var batch = 8000
    var steps = 8

    /// How many steps there are in all.
    var stepTotal: Int { Int(Int64(clamping: Int(hours * 3_600_000)) / interval) }

    init(arguments: [String]) throws(FeedError) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw .usage("\(name) wants a value") }
            switch name {
            case "--to": urls.append(value)
            case "--path": path = value
            case "--series":
                let series = try FeedOptions.number(value, of: name, 1...1_000_000)
                instances = max(1, series / BackendLayout.seriesPerInstance)
            case "--hours":
                guard let number = Double(value), number > 0, number <= 10_000 else {
                    throw .usage("\(name) \(value) is no number of hours")
                }
                hours = number
            case "--interval": interval = Int64(try FeedOptions.number(value, of: name, 1...86_400)) * 1000
            case "--end": end = Int64(try FeedOptions.number(value, of: name, 1...100_000_000_000)) * 1000
            case "--seed": seed = UInt64(try FeedOptions.number(value, of: name, 0...Int.max))
            case "--batch": batch = try FeedOptions.number(value, of: name, 1...100_000)
            case "--steps": steps = try FeedOptions.number(value, of: name, 1...1000)
            default: throw .usage("unknown option \(name)")
            }
        }
        guard stepTotal > 0 else { throw .usage("--hours holds no step") }
    }

    private static func number(_ text: String, of name: String, _ range: ClosedRange<Int>) throws(FeedError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw .usage("\(name) \(text) is not within \(range.lowerBound)...\(range.upperBound)")
        }
        return number
    }
}
