import SeriesModel

extension MetricMetadata.Kind {
    /// The number that messages of both versions have for it.
    var wireNumber: UInt64 {
        switch self {
        case .unknown: 0
        case .counter: 1
        case .gauge: 2
        case .histogram: 3
        case .gaugehistogram: 4
        case .summary: 5
        case .info: 6
        case .stateset: 7
        }
    }
}

/// One metric's metadata, as remote write 1.0 sends it.
struct FamilyMetadata: Sendable, Hashable {
    var family: String
    var metadata: MetricMetadata

    /// A `prometheus.WriteRequest` of nothing but metadata.
    static func request(_ families: ArraySlice<FamilyMetadata>) -> [UInt8] {
        var request = WireWriter()
        var message = WireWriter()
        for family in families {
            message.removeAll()
            let kind = family.metadata.kind.wireNumber
            if kind != 0 { message.varint(1, kind) }
            if !family.family.isEmpty { message.text(2, family.family) }
            if !family.metadata.help.isEmpty { message.text(4, family.metadata.help) }
            if !family.metadata.unit.isEmpty { message.text(5, family.metadata.unit) }
            request.sized(3, message.bytes)
        }
        return request.bytes
    }
}
