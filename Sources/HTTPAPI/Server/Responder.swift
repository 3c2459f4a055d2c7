import HTTPTypes
import HummingbirdCore
import NIOCore
import SeriesModel

/// Everything between a request and its answer that is not the business of a single endpoint: prefix, routing,
/// methods, readiness, body, errors, CORS, HEAD, compression.
struct Responder: Sendable {
    let table: RouteTable
    let services: APIServices
    let metrics: RequestMetrics

    private var options: APIOptions { services.options }

    /// - Parameter clientAddress: without the port; "" where it is not known.
    func answer(_ request: Request, from clientAddress: String) async -> Answer {
        var answer = await route(request, clientAddress)
        let isAPI = (request.head.path ?? "").contains("/api/")
        if isAPI { CORS.apply(to: &answer.response.headers, request.headers, options.isOriginAllowed) }
        answer.response.headers[.xContentTypeOptions] = "nosniff"
        await encode(&answer, request)
        return answer
    }

    // MARK: Routing

    private func route(_ request: Request, _ clientAddress: String) async -> Answer {
        let target = request.head.path ?? "/"
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let queryString = halves.count > 1 ? String(halves[1]) : ""
        guard let path = belowPrefix(String(halves.first ?? "")) else { return Answer(response: .notFound) }
        if path.isEmpty { return Answer(response: .redirect(to: options.routePrefix + "/")) }
        if request.method == .options, path.hasPrefix("/api/v1") { return Answer(response: .empty()) }
        guard let match = table.match(path) else { return Answer(response: .notFound) }
        guard match.route.accepts(request.method) else {
            var response = APIResponse.text(match.route.wrongMethodText, status: 405)
            response.headers[.allow] = match.route.methods.map(\.rawValue).joined(separator: ", ")
            return Answer(response: response, routeIndex: match.index)
        }
        let readiness = services.readiness()
        guard readiness == .ready || match.route.isAlwaysAvailable else {
            return Answer(response: Responder.unavailable(readiness), routeIndex: match.index)
        }
        var routed = APIRequest(
            method: request.method, path: path, queryString: queryString, headers: request.headers)
        routed.clientAddress = clientAddress
        routed.query = FormParameters(encoded: queryString.utf8)
        return await run(match, routed, request)
    }

    /// - Returns: nil for what lies elsewhere, "" for the prefix itself.
    private func belowPrefix(_ path: String) -> String? {
        let prefix = options.routePrefix
        if prefix.isEmpty { return path }
        if path == prefix || path == "/" { return "" }
        return path.hasPrefix(prefix + "/") ? String(path.dropFirst(prefix.count)) : nil
    }

    private static func unavailable(_ readiness: Readiness) -> APIResponse {
        var response = APIResponse.text("Service Unavailable", status: 503)
        response.headers[.prometheusStopping] = readiness == .stopping ? "true" : "false"
        return response
    }

    private func run(_ match: RouteTable.Match, _ routed: APIRequest, _ request: Request) async -> Answer {
        var routed = routed
        do {
            for (name, value) in match.parameters {
                guard let bytes = PercentCoding.decode(ArraySlice(value.utf8)), UTF8Text.isValid(bytes) else {
                    throw APIError(.badData, "invalid label name: \(GoQuote.quote(String(value)))")
                }
                routed.pathParameters[name] = String(decoding: bytes, as: UTF8.self)
            }
            let reader = BodyReader(options: options)
            routed.form = try await reader.form(of: request, routed.query)
            routed.readBody = { Array(try await reader.body(of: request).readableBytesView) }
            return Answer(response: try await match.route.handler(routed), routeIndex: match.index)
        } catch let failure as BodyReader.Failure {
            var answer = Answer(response: failure.response, routeIndex: match.index)
            // What is still under way of the body is not worth reading.
            answer.closesConnection = true
            return answer
        } catch {
            return Answer(response: .failure(APIError(error)), routeIndex: match.index)
        }
    }

    // MARK: Encoding

    private func encode(_ answer: inout Answer, _ request: Request) async {
        let accepted = ContentEncoding.preferred(request.headers[.acceptEncoding] ?? "")
        let hasBody = answer.response.headers[.contentType] != nil
        if hasBody { answer.response.headers.addVary("Accept-Encoding") }
        if request.method == .head {
            answer.omittedBodyBytes = await Responder.byteCount(answer.response.body)
            answer.response.body = .bytes([])
            return
        }
        guard let accepted, hasBody else { return }
        switch answer.response.body {
        case .bytes(let bytes):
            if bytes.isEmpty { return }
            answer.response.body = .bytes(Deflater(accepted).compressWhole(bytes))
        case .stream: answer.encoding = accepted
        }
        answer.response.headers[.contentEncoding] = accepted.rawValue
    }

    private static func byteCount(_ body: APIResponse.Body) async -> Int {
        switch body {
        case .bytes(let bytes): return bytes.count
        case .stream(let produce):
            var count = 0
            try? await produce { count += $0.count }
            return count
        }
    }
}

extension HTTPField.Name {
    fileprivate static let prometheusStopping = HTTPField.Name("X-Prometheus-Stopping") ?? .server
}

extension HTTPFields {
    mutating func addVary(_ name: String) {
        self[.vary] = self[.vary].map { $0 + ", " + name } ?? name
    }
}
