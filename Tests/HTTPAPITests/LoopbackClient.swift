import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A plain HTTP/1.1 client over a socket, for tests that look at the bytes. Each connection has a thread of
/// its own to block: the server under test needs the shared ones.
struct LoopbackClient: Sendable {
    struct Response: Sendable {
        var status = 0
        /// Names in lower case.
        var headers: [String: String] = [:]
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Failure: Error {
        var reason: String
    }

    let port: Int

    func get(_ target: String, _ headers: [String: String] = [:]) async throws -> Response {
        try await send("GET", target, headers)
    }

    func post(_ target: String, _ form: String, _ headers: [String: String] = [:]) async throws -> Response {
        var headers = headers
        if headers["Content-Type"] == nil { headers["Content-Type"] = "application/x-www-form-urlencoded" }
        return try await send("POST", target, headers, body: form)
    }

    func send(
        _ method: String, _ target: String, _ headers: [String: String] = [:], body: String = ""
    ) async throws -> Response {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if !body.isEmpty { text += "Content-Length: \(body.utf8.count)\r\n" }
        return try await exchange(text + "\r\n" + body, isHead: method == "HEAD")
    }

    /// Sends bytes as they are, and reads one answer.
    func exchange(_ raw: String, isHead: Bool = false) async throws -> Response {
        try await withConnection { descriptor in
            try LoopbackClient.write(Array(raw.utf8), to: descriptor)
            return try LoopbackClient.readResponse(from: descriptor, isHead: isHead)
        }
    }

    /// Runs a body that may block with a connected socket; it is closed afterwards.
    func withConnection<Result: Sendable>(
        _ body: @escaping @Sendable (_ descriptor: Int32) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Swift.Result {
                        let descriptor = try connect()
                        defer { close(descriptor) }
                        return try body(descriptor)
                    })
            }
        }
    }

    private func connect() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(reason: "connect: error \(errno)") }
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    /// A connection that the other side has closed is an error to handle, not a signal.
    private static let noSignal = Int32(MSG_NOSIGNAL)

    static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, noSignal) }
            guard count > 0 else { throw Failure(reason: "send: error \(errno)") }
            rest = rest.dropFirst(count)
        }
    }

    static func readResponse(from descriptor: Int32, isHead: Bool = false) throws -> Response {
        var input = SocketInput(descriptor: descriptor)
        return try readResponse(from: &input, isHead: isHead)
    }

    /// The answers to requests that were sent in one go: what is read beyond one belongs to the next.
    static func readResponses(_ count: Int, from descriptor: Int32) throws -> [Response] {
        var input = SocketInput(descriptor: descriptor)
        return try (0..<count).map { _ in try readResponse(from: &input, isHead: false) }
    }

    private static func readResponse(from input: inout SocketInput, isHead: Bool) throws -> Response {
        var response = Response()
        let statusLine = try input.line().split(separator: " ")
        guard statusLine.count >= 2, let status = Int(statusLine[1]) else { throw Failure(reason: "bad status line") }
        response.status = status
        while case let line = try input.line(), !line.isEmpty {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2 else { throw Failure(reason: "bad header \(line)") }
            response.headers[halves[0].lowercased()] = String(halves[1].drop { $0 == " " })
        }
        if isHead || status == 204 { return response }
        if response.headers["transfer-encoding"] == "chunked" {
            while let size = Int(try input.line(), radix: 16), size > 0 {
                response.body += try input.bytes(size)
                _ = try input.line()
            }
        } else if let length = response.headers["content-length"].flatMap({ Int($0) }) {
            response.body = try input.bytes(length)
        }
        return response
    }
}

private struct SocketInput {
    let descriptor: Int32
    private var buffer: ArraySlice<UInt8> = []

    init(descriptor: Int32) { self.descriptor = descriptor }

    mutating func line() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[..<end]
                buffer = buffer[(end + 1)...]
                return String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
            }
            try fill()
        }
    }

    mutating func bytes(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { try fill() }
        defer { buffer = buffer.dropFirst(count) }
        return Array(buffer.prefix(count))
    }

    private mutating func fill() throws {
        let part = [UInt8](unsafeUninitializedCapacity: 64 << 10) { part, count in
            count = max(0, recv(descriptor, part.baseAddress, part.count, 0))
        }
        if part.isEmpty { throw LoopbackClient.Failure(reason: "the connection ended early") }
        buffer += part
    }
}
