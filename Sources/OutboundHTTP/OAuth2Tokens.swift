import ConfigTree
import OwnThreads
import SeriesModel
import Synchronization

/// Tokens that were fetched with client credentials (RFC 6749, 4.4) or signed statements (RFC 7523), each until shortly
/// before it ends. Requests that need the same one at the same time wait for one exchange.
final class OAuth2Tokens: Sendable {
    /// How a client proves who it is: most servers take the header, some only fields of the form.
    private enum Style: Sendable, CaseIterable {
        case header, form
    }

    private struct Key: Hashable, Sendable {
        var section: OAuth2Section
        /// The client's secret, or its private key.
        var secret: Secret
    }

    private struct Token: Sendable {
        var header: String
        /// Nil where the server did not say.
        var end: ContinuousClock.Instant?

        var isFresh: Bool { end.map { ContinuousClock.now < $0 } ?? true }
    }

    private enum State {
        case fetched(Token)
        case fetching(Task<Token, any Error>)
        /// By the wall clock, ms.
        case failed(OutboundError, at: Timestamp)

        func isOfUse(now: Timestamp) -> Bool {
            switch self {
            case .fetched(let token): token.isFresh
            case .fetching: true
            // A clock that was set back must not keep it alive.
            case .failed(_, let time): time <= now && now.subtractingClamped(time) < OAuth2Tokens.failurePause
            }
        }
    }

    /// A server that refuses is asked again after this: a thousand targets must not ask it, and sign, a thousand times. ms
    private static let failurePause: Int64 = 1000

    /// A token is replaced this long before its end.
    private static let margin = Duration.seconds(10)
    private static let answerBytesMax = 1 << 20

    private let states = Mutex<[Key: State]>([:])
    private let styles = Mutex<[String: Style]>([:])
    private let clock: any WallClock
    /// Signing takes its time, and reading a private key too.
    private let signers = Mutex<TaskThreads?>(nil)

    /// - Parameter clock: for the times in signed statements, and those of failures.
    init(clock: any WallClock = SystemClock()) { self.clock = clock }

    typealias Send = @Sendable (OutboundRequest) async throws(OutboundError) -> OutboundResponse

    /// The value of the `Authorization` header.
    /// - Parameters:
    ///   - timeout: for the exchange, ms.
    ///   - send: sends the request for a token.
    func header(
        for section: OAuth2Section, userAgent: String?, timeout: Int64, send: @escaping Send
    ) async throws(OutboundError) -> String {
        let secret: String
        do throws(OutboundError) {
            secret = try (section.usesJWT ? section.jwt.key : section.clientSecret)?.text() ?? ""
        } catch {
            let what = section.usesJWT ? "client certificate key" : "client secret"
            throw OutboundError(error.kind, "unable to read oauth2 \(what): " + error.message)
        }
        let key = Key(section: section, secret: Secret(secret))
        let now = clock.now()
        let state = states.withLock { states -> State in
            if let state = states[key], state.isOfUse(now: now) { return state }
            let task = Task(executorPreference: threads(for: section)) { [self] in
                try await fetch(key, userAgent: userAgent, timeout: timeout, send: send)
            }
            // A secret that was replaced has no use any more.
            states = states.filter { $0.key.section != section && $0.value.isOfUse(now: now) }
            states[key] = .fetching(task)
            return .fetching(task)
        }
        let task: Task<Token, any Error>
        switch state {
        case .fetched(let token): return token.header
        case .failed(let error, _): throw error
        case .fetching(let fetching): task = fetching
        }
        do {
            return try await Waiting.value(of: task, timeout: timeout).header
        } catch let error as OutboundError {
            throw error
        } catch is CancellationError {
            throw OutboundError(.cancelled, "context canceled")
        } catch {
            throw OutboundError(.credentials, "oauth2: cannot fetch token: \(error)")
        }
    }

    /// Those that sign start with the first who needs them; nil for the pool that all tasks share.
    private func threads(for section: OAuth2Section) -> TaskThreads? {
        guard section.usesJWT else { return nil }
        return signers.withLock { signers in
            if let signers { return signers }
            let new = TaskThreads("oauth2", count: 1)
            signers = new
            return new
        }
    }

    private func fetch(
        _ key: Key, userAgent: String?, timeout: Int64, send: Send
    ) async throws(OutboundError) -> Token {
        let known = key.section.usesJWT ? .form : styles.withLock { $0[key.section.tokenURL] }
        var failure = OutboundError(.credentials, "oauth2: cannot fetch token")
        for style in known.map({ [$0] }) ?? Style.allCases {
            do throws(OutboundError) {
                let response = try await send(try request(key, style, userAgent, timeout))
                let token = try OAuth2Tokens.token(in: response)
                if !key.section.usesJWT { styles.withLock { $0[key.section.tokenURL] = style } }
                states.withLock { $0[key] = .fetched(token) }
                return token
            } catch { failure = error }
        }
        let failed = State.failed(failure, at: clock.now())
        states.withLock { $0[key] = failed }
        throw failure
    }

    private func request(
        _ key: Key, _ style: Style, _ userAgent: String?, _ timeout: Int64
    ) throws(OutboundError) -> OutboundRequest {
        var client = HTTPClientSection()
        client.tls = key.section.tls
        client.proxy = key.section.proxy
        var fields = [("grant_type", "client_credentials")]
        if !key.section.usesJWT, !key.section.scopes.isEmpty {
            fields.append(("scope", key.section.scopes.joined(separator: " ")))
        }
        for parameter in key.section.endpointParameters {
            fields.removeAll { $0.0 == parameter.name }
            fields.append((parameter.name, parameter.value))
        }
        var headers = [(name: "Content-Type", value: "application/x-www-form-urlencoded")]
        if let userAgent { headers.append(("User-Agent", userAgent)) }
        if key.section.usesJWT {
            fields.removeAll { $0.0 == "grant_type" || $0.0 == "assertion" }
            let assertion = try key.section.jwt.assertion(
                for: key.section, pem: key.secret, now: clock.now(), identifier: JWTGrant.randomIdentifier())
            fields += [("grant_type", JWTGrant.name), ("assertion", assertion)]
        } else if style == .header {
            let pair =
                PercentEncoding.encode(key.section.clientID, spaceAsPlus: true) + ":"
                + PercentEncoding.encode(key.secret.text, spaceAsPlus: true)
            headers.append(("Authorization", "Basic " + Base64.encode(Array(pair.utf8))))
        } else {
            fields.append(("client_id", key.section.clientID))
            if !key.secret.text.isEmpty { fields.append(("client_secret", key.secret.text)) }
        }
        fields.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        let form = fields.map {
            PercentEncoding.encode($0.0, spaceAsPlus: true) + "=" + PercentEncoding.encode($0.1, spaceAsPlus: true)
        }.joined(separator: "&")
        return OutboundRequest(
            .post, key.section.tokenURL, headers: headers, body: Array(form.utf8), client: client, timeout: timeout,
            bodyBytesMax: OAuth2Tokens.answerBytesMax)
    }

    /// JSON is read as the subset of YAML that it is.
    private static func token(in response: OutboundResponse) throws(OutboundError) -> Token {
        let text = String(decoding: response.body, as: UTF8.self)
        guard (200...299).contains(response.status) else {
            throw OutboundError(
                .credentials,
                "oauth2: cannot fetch token: \(response.status) \(response.reason)\nResponse: \(text.prefix(1024))")
        }
        var accessToken = ""
        var type = ""
        var lifetime = 0.0
        do throws(ConfigError) {
            for entry in try ConfigNode.parse(text, file: "token").entries() {
                switch entry.key {
                case "access_token": accessToken = try entry.value.string()
                case "token_type": type = try entry.value.string()
                case "expires_in": lifetime = Double(try entry.value.string()) ?? 0
                default: break
                }
            }
        } catch {
            throw OutboundError(.credentials, "oauth2: cannot parse json: \(error.message)")
        }
        guard !accessToken.isEmpty, !accessToken.utf8.contains(where: { $0 < 0x20 }) else {
            throw OutboundError(.credentials, "oauth2: server response missing access_token")
        }
        let end = lifetime > 0 ? ContinuousClock.now + .seconds(min(lifetime, 1e9)) - margin : nil
        return Token(header: scheme(type) + " " + accessToken, end: end)
    }

    private static func scheme(_ type: String) -> String {
        switch type.lowercased() {
        case "", "bearer": "Bearer"
        case "mac": "MAC"
        case "basic": "Basic"
        default: type
        }
    }
}

/// Waiting for a task that others wait for too: giving up does not end it.
private final class Waiting<Value: Sendable>: Sendable {
    private let continuation = Mutex<CheckedContinuation<Value, any Error>?>(nil)
    private let early = Mutex<Result<Value, any Error>?>(nil)

    /// - Throws: what the task throws, `CancellationError`, or an `OutboundError` once the time is over.
    static func value(of task: Task<Value, any Error>, timeout: Int64) async throws -> Value {
        let waiting = Waiting()
        let watch = Task { waiting.finish(await task.result) }
        let timer = Task {
            try await Task.sleep(for: .milliseconds(max(timeout, 0)))
            waiting.finish(.failure(OutboundError(.timeout, "oauth2: cannot fetch token: context deadline exceeded")))
        }
        defer {
            watch.cancel()
            timer.cancel()
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiting.start($0) }
        } onCancel: {
            waiting.finish(.failure(CancellationError()))
        }
    }

    private func start(_ continuation: CheckedContinuation<Value, any Error>) {
        let result = early.withLock { early in
            if early == nil { self.continuation.withLock { $0 = continuation } }
            return early
        }
        if let result { continuation.resume(with: result) }
    }

    private func finish(_ result: Result<Value, any Error>) {
        let waiting = early.withLock { early -> CheckedContinuation<Value, any Error>? in
            guard early == nil else { return nil }
            early = result
            return continuation.withLock { $0 }
        }
        waiting?.resume(with: result)
    }
}
