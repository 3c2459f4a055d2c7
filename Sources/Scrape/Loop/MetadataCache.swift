import Exposition
import SeriesModel

/// What a target says about its metric families (`# TYPE`, `# HELP`, `# UNIT`). A family that is not mentioned any
/// more is remembered for some scrapes.
///
/// The comment lines of a scrape are gathered as bytes and compared with the last scrape's as a whole: nearly always
/// they are the same, and no text is made.
struct MetadataCache: Sendable {
    /// How many scrapes a vanished family stays known.
    private static let roundsKept = 10
    /// More families than this of one target are not remembered.
    private static let familiesMax = 100_000
    /// Nor more bytes of names and texts than this.
    static let bytesMax = 8 << 20

    private struct Family {
        var metadata: MetricMetadata
        /// Nil while it is mentioned.
        var forgottenIn: Int?
    }

    private var families: [String: Family] = [:]
    private var lastBytes: [UInt8] = []
    private var bytes: [UInt8] = []
    private var events: [ExpositionEvent] = []
    private var round = 0
    private var expiringCount = 0

    /// Another one with each change.
    private(set) var version = 0
    /// Whether the last round changed anything.
    private(set) var hasChanged = false {
        didSet { if hasChanged { version += 1 } }
    }
    /// Whether a family has got another type than it had.
    private(set) var hasChangedType = false

    var current: [String: MetricMetadata] { families.mapValues(\.metadata) }

    var count: Int { families.count }

    /// Bytes of names and texts.
    var byteCount: Int {
        families.reduce(0) {
            $0 + $1.key.utf8.count + $1.value.metadata.help.utf8.count + $1.value.metadata.unit.utf8.count
        }
    }

    mutating func beginRound() {
        bytes.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        hasChanged = false
        hasChangedType = false
    }

    mutating func add(_ event: ExpositionEvent, of body: UnsafeRawBufferPointer) {
        let start = bytes.count
        switch event {
        case .type(let metric, let kind):
            add(1, metric, body)
            bytes.append(contentsOf: kind.rawValue.utf8)
        case .help(let metric, let text):
            add(2, metric, body)
            add(0, text, body)
        case .unit(let metric, let text):
            add(3, metric, body)
            add(0, text, body)
        case .series, .comment: return
        }
        guard bytes.count <= MetadataCache.bytesMax else {
            bytes.removeLast(bytes.count - start)
            return
        }
        events.append(event)
    }

    private mutating func add(_ tag: UInt8, _ range: Range<Int>, _ body: UnsafeRawBufferPointer) {
        // A newline cannot be in a text, so neighbours do not run together.
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(tag)
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: body[range]))
    }

    /// The scrape was good: what it said holds.
    mutating func commit(_ parser: ExpositionParser) {
        round += 1
        if bytes != lastBytes {
            hasChanged = true
            update(parser)
            swap(&bytes, &lastBytes)
        }
        if expiringCount > 0 { expire() }
        events.removeAll(keepingCapacity: true)
    }

    private mutating func update(_ parser: ExpositionParser) {
        var said: [String: MetricMetadata] = [:]
        for event in events {
            switch event {
            case .type(let metric, let kind): said[parser.metricName(metric), default: MetricMetadata()].kind = kind
            case .help(let metric, let text):
                said[parser.metricName(metric), default: MetricMetadata()].help = parser.helpText(text)
            case .unit(let metric, let text):
                said[parser.metricName(metric), default: MetricMetadata()].unit = parser.string(text)
            case .series, .comment: break
            }
        }
        for name in families.keys where said[name] == nil && families[name]?.forgottenIn == nil {
            families[name]?.forgottenIn = round + MetadataCache.roundsKept
        }
        for (name, metadata) in said {
            if let old = families[name], old.metadata.kind != metadata.kind { hasChangedType = true }
            guard families.count < MetadataCache.familiesMax || families[name] != nil else { continue }
            families[name] = Family(metadata: metadata)
        }
        expiringCount = families.values.count { $0.forgottenIn != nil }
    }

    private mutating func expire() {
        let round = round
        let expired = families.filter { ($0.value.forgottenIn ?? .max) <= round }
        guard !expired.isEmpty else { return }
        for name in expired.keys { families[name] = nil }
        expiringCount -= expired.count
        hasChanged = true
    }
}
