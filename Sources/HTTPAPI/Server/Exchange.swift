import HTTPTypes
import HummingbirdCore
import NIOCore
import OwnThreads
import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// One request and its answer: has it worked on by the responder on a worker thread, stops that when the client goes
/// away, and sends what comes out.
struct Exchange: Sendable {
    let responder: Responder
    let clock: any WallClock

    /// Looking up series, writing JSON and compressing may take long: requests are worked on here.
    static let workers = TaskThreads(
        "request", count: max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))) + 2, stackBytes: 4 << 20)

    func run(
        _ request: Request, _ writer: consuming ResponseWriter, on channel: any Channel, _ watch: ConnectionWatch
    ) async throws {
        if request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        let started = ContinuousClock.now
        let clientAddress = channel.remoteAddress?.ipAddress ?? ""
        let work = Task(executorPreference: Exchange.workers) { await responder.answer(request, from: clientAddress) }
        watch.begin { work.cancel() }
        let answer = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        defer { watch.end() }
        var sent = 0
        // Answers that nobody takes are counted like others: a query that was cancelled, as 499.
        defer {
            responder.metrics.observe(
                route: answer.routeIndex, status: answer.response.status, duration: ContinuousClock.now - started,
                bytes: sent)
        }
        sent = try await send(answer, writer)
        if answer.closesConnection { channel.close(promise: nil) }
    }

    /// - Returns: bytes of the body as they went out.
    private func send(_ answer: Answer, _ writer: consuming ResponseWriter) async throws -> Int {
        var head = HTTPResponse(
            status: HTTPResponse.Status(code: answer.response.status), headerFields: answer.response.headers)
        head.headerFields[.date] = CivilTime(clock.now()).httpDate
        if answer.closesConnection { head.headerFields[.connection] = "close" }
        switch answer.response.body {
        case .bytes(let bytes):
            let length = answer.omittedBodyBytes ?? bytes.count
            if answer.response.status != 204 { head.headerFields[.contentLength] = String(length) }
            if bytes.isEmpty {
                try await writer.writeResponse(head)
            } else {
                try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
            }
            return bytes.count
        case .stream(let produce):
            let body = try await writer.writeHead(head)
            var output: any ResponseBodyWriter = body
            var count = 0
            let deflater = answer.encoding.map { Deflater($0) }
            try await withTaskExecutorPreference(Exchange.workers) {
                try await produce { part in
                    let bytes = deflater.map { $0.compress(part) } ?? part
                    count += bytes.count
                    if !bytes.isEmpty { try await output.write(ByteBuffer(bytes: bytes)) }
                }
            }
            if let rest = deflater?.finish(), !rest.isEmpty {
                count += rest.count
                try await output.write(ByteBuffer(bytes: rest))
            }
            try await output.finish(nil)
            return count
        }
    }
}

/// What the responder hands over to be sent.
struct Answer: Sendable {
    var response: APIResponse
    /// For the metrics; nil where no route fitted.
    var routeIndex: Int?
    /// How a streamed body is to be compressed; other bodies are already.
    var encoding: ContentEncoding?
    /// The length of a body that is not sent, because the request was a HEAD.
    var omittedBodyBytes: Int?
    var closesConnection = false
}
