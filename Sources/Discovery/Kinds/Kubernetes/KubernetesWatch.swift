import OutboundHTTP
import SelfMetrics
import SeriesModel
import Synchronization

/// Keeps one resource, or one namespace of it, up to date in the store: a list, then a watch from the list's version on,
/// again and again. Where the server has forgotten that version (410), it begins with a list anew.
struct KubernetesWatch: Sendable {
    private static let pageSize = 500
    /// The server ends a watch after this time.
    private static let watchSeconds: Int64 = 300
    /// ms
    private static let listTimeout: Int64 = 60_000
    private static let retryMin: Int64 = 1000
    private static let retryMax: Int64 = 30_000
    /// After so many failures in a row the list is read anew.
    private static let watchAttempts = 3
    /// No list is longer. Objects
    private static let objectsMax = 1_000_000
    /// What the server may be ahead of us, and how long one event may be. bytes
    private static let pendingBytesMax = 64 << 20

    let api: APIClient
    let url: String
    let resource: KubernetesResource
    /// Nil for all.
    let namespace: String?
    let selector: KubernetesDiscovery.Selector?
    let clock: any WallClock
    let store: KubernetesStore
    let metrics: KubernetesMetrics
    let feed: DiscoveryFeed

    private enum Failure: Error {
        /// The version is too old to watch from.
        case gone
        case other(DiscoveryError)
    }

    /// Returns when cancelled.
    func run() async {
        var version: String?
        var isFirst = true
        var retryWait = KubernetesWatch.retryMin
        var goneCount = 0
        var failureCount = 0
        while !Task.isCancelled {
            let start = ContinuousClock.now
            var wait: Int64 = 0
            do throws(Failure) {
                if let known = version {
                    let (next, eventCount) = try await watch(from: known)
                    version = next
                    if eventCount > 0 { goneCount = 0 }
                    // A server that ends its watches at once shall not be asked without pause.
                    if eventCount == 0, start.duration(to: .now) < .seconds(1) { wait = KubernetesWatch.retryMin }
                } else {
                    version = try await list(isFirst: isFirst)
                    isFirst = false
                    feed.refreshed(in: start.duration(to: .now))
                }
                retryWait = KubernetesWatch.retryMin
                failureCount = 0
            } catch {
                if Task.isCancelled { return }
                switch error {
                case .gone:
                    version = nil
                    goneCount += 1
                    if goneCount > 1 { wait = retryWait }
                case .other(let reason):
                    metrics.failures.increment()
                    feed.refreshFailed(DiscoveryError("\(resource.rawValue): \(reason)"))
                    wait = retryWait
                    // Who may list but not watch shall still see what changes.
                    failureCount += 1
                    if failureCount >= KubernetesWatch.watchAttempts { version = nil }
                }
                retryWait = min(2 * retryWait, KubernetesWatch.retryMax)
            }
            guard wait > 0 else { continue }
            do { try await clock.sleep(milliseconds: wait) } catch { return }
        }
    }

    private var selectorParameters: [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        if let label = selector?.label, !label.isEmpty { parameters.append(("labelSelector", label)) }
        if let field = selector?.field, !field.isEmpty { parameters.append(("fieldSelector", field)) }
        return parameters
    }

    // MARK: - List

    /// Reads the whole list, page by page, into the store. - Returns: its version.
    private func list(isFirst: Bool) async throws(Failure) -> String {
        var objects: [KubernetesObject] = []
        var token = ""
        while true {
            var parameters = selectorParameters
            parameters.append(("limit", String(KubernetesWatch.pageSize)))
            if !token.isEmpty { parameters.append(("continue", token)) }
            let page: JSONValue
            do throws(DiscoveryError) {
                let request = request(url + URLText.query(parameters), timeout: KubernetesWatch.listTimeout)
                page = try JSONValue(parsing: try await send(request))
            } catch {
                throw error == KubernetesWatch.goneError ? .gone : .other(error)
            }
            guard let items = page["items"]?.array ?? (page["items"]?.isNull == true ? [] : nil),
                let version = page["metadata"]?["resourceVersion"]?.string
            else { throw .other(DiscoveryError("json: no list of objects")) }
            objects += items.compactMap { KubernetesObject($0, resource) }
            guard objects.count <= KubernetesWatch.objectsMax else {
                throw .other(DiscoveryError("more than \(KubernetesWatch.objectsMax) objects"))
            }
            token = page["metadata"]?["continue"]?.string ?? ""
            guard token.isEmpty || !items.isEmpty else { throw .other(DiscoveryError("an empty page of a list")) }
            if token.isEmpty {
                let changes = store.replace(resource, namespace: namespace, with: objects, isFirst: isFirst)
                for change in changes { metrics.handled(resource, change) }
                return version
            }
        }
    }

    private static let goneError = DiscoveryError("410 Gone")

    private func request(_ url: String, timeout: Int64) -> OutboundRequest {
        OutboundRequest(
            .get, url, headers: api.headers + [("Accept", "application/json")], client: api.client, timeout: timeout,
            bodyBytesMax: APIClient.bodyBytesMax)
    }

    private func send(_ request: OutboundRequest) async throws(DiscoveryError) -> [UInt8] {
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await api.transport.send(request)
        } catch {
            throw DiscoveryError(error.message)
        }
        if response.status == 410 { throw KubernetesWatch.goneError }
        guard response.status == 200 else { throw DiscoveryError(response.statusError) }
        return response.body
    }

    // MARK: - Watch

    /// Follows the changes until the server ends the watch.
    /// - Returns: the version to go on from, and how many events there were.
    private func watch(from version: String) async throws(Failure) -> (version: String, eventCount: Int) {
        let parameters =
            selectorParameters + [
                ("watch", "true"), ("resourceVersion", version), ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", String(KubernetesWatch.watchSeconds)),
            ]
        let pieces = BodyPieces(bytesMax: KubernetesWatch.pendingBytesMax)
        var request = request(
            url + URLText.query(parameters), timeout: (KubernetesWatch.watchSeconds + 30) * 1000)
        request.receiveBodyPart = { pieces.add($0) }
        let prepared = request
        async let exchange: Result<[UInt8], DiscoveryError> = {
            defer { pieces.finish() }
            do throws(DiscoveryError) {
                return .success(try await send(prepared))
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
        case .failure(KubernetesWatch.goneError): throw .gone
        case .failure(let error):
            if events.count == 0 { throw .other(error) }
        }
        return (events.version, events.count)
    }

    private func handle(_ lines: [[UInt8]], _ events: inout EventReader) throws(Failure) {
        guard events.isWithinBounds else { throw .other(DiscoveryError("an event is too long")) }
        for line in lines {
            let event: JSONValue
            do throws(DiscoveryError) { event = try JSONValue(parsing: line) } catch { throw .other(error) }
            guard let object = event["object"], let type = event["type"]?.string else {
                throw .other(DiscoveryError("json: no event"))
            }
            if type == "ERROR" {
                if object["code"]?.int == 410 { throw .gone }
                throw .other(DiscoveryError(object["message"]?.string ?? "the server reports an error"))
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
