import OutboundHTTP
import SeriesModel
import Synchronization
import TestSupport

@testable import Discovery

/// A Consul agent that holds blocking queries until its index grows.
final class FakeAgent: Sendable {
    private struct State {
        var index = 1
        var catalog = "{}"
        var services: [String: String] = [:]
        var waiting: [(path: String, continuation: CheckedContinuation<Void, Never>)] = []
        var cancelled: [String] = []
        var tellsIndex = true
        var failure: Int?
    }

    private let state = Mutex(State())

    /// - Parameter index: nil for the next.
    func set(catalog: String, services: [String: String], index: Int? = nil) {
        let waiting = state.withLock { state in
            state.index = index ?? state.index + 1
            state.catalog = catalog
            state.services = services
            defer { state.waiting = [] }
            return state.waiting
        }
        for query in waiting { query.continuation.resume() }
    }

    /// Another catalog, told to who waits for one, while those that wait for a service go on waiting.
    func setCatalog(_ catalog: String) {
        let waiting = state.withLock { state in
            state.index += 1
            state.catalog = catalog
            defer { state.waiting.removeAll { $0.path == "/v1/catalog/services" } }
            return state.waiting.filter { $0.path == "/v1/catalog/services" }
        }
        for query in waiting { query.continuation.resume() }
    }

    func fail(_ status: Int?) { state.withLock { $0.failure = status } }

    /// Whether answers say what index they belong to.
    func tellIndex(_ tells: Bool) { state.withLock { $0.tellsIndex = tells } }

    /// The paths of the queries that hang.
    var hanging: [String] { state.withLock { $0.waiting.map(\.path) }.sorted() }

    /// The paths of the queries that were abandoned while they hung.
    var cancelled: [String] { state.withLock { $0.cancelled } }

    private func cancel(_ path: String) {
        let waiting = state.withLock { state in
            let abandoned = state.waiting.filter { $0.path == path }
            state.waiting.removeAll { $0.path == path }
            state.cancelled += abandoned.map(\.path)
            return abandoned
        }
        for query in waiting { query.continuation.resume() }
    }

    /// Lets all queries that hang return, as when their time is over.
    func release() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for query in waiting { query.continuation.resume() }
    }

    var transport: ScriptedTransport {
        ScriptedTransport { request in
            let whole = String(request.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" })
            let path = whole.hasPrefix("/p/") ? String(whole.dropFirst(2)) : whole
            if path.hasPrefix("/v1/agent/self") {
                return ScriptedTransport.json(#"{"Config":{"Datacenter":"dc1"}}"#)
            }
            let name = String(path.prefix { $0 != "?" })
            let asked = path.split(separator: "index=").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isNow = self.state.withLock { state in
                        if state.index != asked || state.failure != nil || Task.isCancelled { return true }
                        state.waiting.append((name, continuation))
                        return false
                    }
                    if isNow { continuation.resume() }
                }
            } onCancel: {
                self.cancel(name)
            }
            return self.state.withLock { state in
                if let failure = state.failure { return ScriptedTransport.status(failure) }
                let service = String(name.dropFirst("/v1/health/service/".count))
                let body = name == "/v1/catalog/services" ? state.catalog : state.services[service] ?? "[]"
                return ScriptedTransport.json(
                    body, headers: state.tellsIndex ? [("X-Consul-Index", String(state.index))] : [])
            }
        }
    }
}
