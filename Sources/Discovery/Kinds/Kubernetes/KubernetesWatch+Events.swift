import OutboundHTTP
import SeriesModel
import Synchronization

extension KubernetesWatch {
    /// The server ends a watch after this time.
    private static let watchSeconds: Int64 = 300
    /// What the server may be ahead of us, and how long one event may be. bytes
    private static let pendingBytesMax = 64 << 20

    /// Follows the changes until the server ends the watch.
    /// - Returns: the version to go on from, and how many events there were.
    func watch(from version: String) async throws(DiscoveryError) -> (version: String, eventCount: Int) {
        let parameters =
            selectorParameters + [
                ("watch", "true"), ("resourceVersion", version), ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", String(KubernetesWatch.watchSeconds)),
            ]
        let url = url + URLText.query(parameters)
        let pieces = BodyPieces(bytesMax: KubernetesWatch.pendingBytesMax)
        async let exchange: Result<[UInt8], DiscoveryError> = {
            defer { pieces.finish() }
            do throws(DiscoveryError) {
                let response = try await api.get(
                    url, headers: APIClient.acceptsJSON, timeout: (KubernetesWatch.watchSeconds + 30) * 1000
                ) { pieces.add($0) }
                return .success(response.body)
            } catch {
                return .failure(error)
            }
        }()
        var events = EventReader(version: version)
        for await piece in pieces.stream {
            pieces.taken(piece.count)
            try handle(events.lines(adding: piece), &events)
        }
        switch await exchange {
        case .success(let rest):
            // A transport that does not hand over pieces has them all here.
            try handle(events.lines(adding: rest), &events)
        case .failure(let error):
            // A connection that broke after some events is like one that ended.
            if events.count == 0 || error.kind == .gone { throw error }
        }
        return (events.version, events.count)
    }

    private func handle(_ lines: [[UInt8]], _ events: inout EventReader) throws(DiscoveryError) {
        guard events.isWithinBounds else { throw DiscoveryError("an event is too long") }
        for line in lines {
            let event = try JSONValue(parsing: line)
            guard let object = event["object"], let type = event["type"]?.string else {
                throw DiscoveryError("json: no event")
            }
            if type == "ERROR" {
                throw DiscoveryError(
                    object["message"]?.string ?? "the server reports an error",
                    kind: object["code"]?.int == 410 ? .gone : .other)
            }
            events.count += 1
            if let version = object["metadata"]?["resourceVersion"]?.string { events.version = version }
            guard type != "BOOKMARK", let content = KubernetesObject(object, resource) else { continue }
            let isGone = type == "DELETED"
            let change = store.change(resource, content.meta.key, to: isGone ? nil : content)
            if let change { metrics.handled(resource, change) }
        }
    }
}

/// The pieces of a body on their way from the event loop to who reads them, bounded in bytes.
private final class BodyPieces: Sendable {
    let stream: AsyncStream<[UInt8]>
    private let continuation: AsyncStream<[UInt8]>.Continuation
    private let pending = Atomic(0)
    private let bytesMax: Int

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
        (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
    }

    /// - Returns: false where the reader has fallen too far behind.
    func add(_ bytes: [UInt8]) -> Bool {
        guard pending.add(bytes.count, ordering: .relaxed).newValue <= bytesMax else { return false }
        continuation.yield(bytes)
        return true
    }

    func taken(_ count: Int) { pending.subtract(count, ordering: .relaxed) }

    func finish() { continuation.finish() }
}

/// Splits a watch's body into its lines, one event each.
private struct EventReader {
    private static let lineBytesMax = 16 << 20
    /// The newest version seen.
    var version: String
    var count = 0
    private var rest: [UInt8] = []

    init(version: String) { self.version = version }

    var isWithinBounds: Bool { rest.count <= EventReader.lineBytesMax }

    mutating func lines(adding piece: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = 0
        for (index, byte) in piece.enumerated() where byte == UInt8(ascii: "\n") {
            rest += piece[start..<index]
            if !rest.isEmpty { lines.append(rest) }
            rest.removeAll(keepingCapacity: rest.count < 1 << 16)
            start = index + 1
        }
        rest += piece[start...]
        return lines
    }
}
