#if canImport(Glibc)
    import Glibc
#endif

/// A kept-alive HTTP/1.1 connection to a server on this machine, with blocking calls: a request is sent, its answer is
/// awaited later, so that several servers work at one time.
final class LoopbackConnection {
    private static let answerMax = 1 << 20
    private static let timeoutSeconds = 300

    let url: String
    private let descriptor: Int32
    private let head: String

    /// - Parameter url: `http://127.0.0.1:9090`, with or without a path before `path`.
    init(url: String, path: String) throws(FeedError) {
        func fail(_ reason: String) -> FeedError { .server(url: url, reason: reason) }
        guard url.hasPrefix("http://") else { throw .usage("--to \(url) does not begin with http://") }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        var prefix = String(rest.dropFirst(authority.count))
        while prefix.hasSuffix("/") { prefix.removeLast() }
        let parts = authority.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]) else { throw .usage("--to \(url) has no HOST:PORT") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        let host = parts[0] == "localhost" ? "127.0.0.1" : String(parts[0])
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw .usage("\(host) is no IPv4 address") }
        self.url = url
        head =
            "POST \(prefix)\(path) HTTP/1.1\r\nHost: \(authority)\r\nContent-Type: application/x-protobuf\r\n"
            + "Content-Encoding: snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\nUser-Agent: QueryBenchmark\r\n"
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw fail("no socket: \(LoopbackConnection.lastError)") }
        var wait = timeval(tv_sec: LoopbackConnection.timeoutSeconds, tv_usec: 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw fail("cannot connect: \(LoopbackConnection.lastError)") }
    }

    deinit { close(descriptor) }

    func send(_ body: [UInt8]) throws(FeedError) {
        try write(Array((head + "Content-Length: \(body.count)\r\n\r\n").utf8))
        try write(body)
    }

    /// Waits for the answer of the oldest request without one.
    /// - Throws: when its status is not 2xx.
    func receiveAnswer() throws(FeedError) {
        var answer: [UInt8] = []
        var bodyStart: Int?
        while bodyStart == nil {
            try read(into: &answer)
            bodyStart = LoopbackConnection.endOfHead(answer)
        }
        guard let bodyStart else { return }
        let lines = String(decoding: answer[..<bodyStart], as: UTF8.self).split(separator: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var length = 0
        for line in lines.dropFirst() where line.lowercased().hasPrefix("content-length:") {
            length = Int(line.dropFirst("content-length:".count).drop { $0 == " " }) ?? 0
        }
        guard length >= 0, length <= LoopbackConnection.answerMax else {
            throw .server(url: url, reason: "answer of \(length) bytes")
        }
        while answer.count < bodyStart + length { try read(into: &answer) }
        guard (200..<300).contains(status) else {
            let text = String(decoding: answer[bodyStart...].prefix(400), as: UTF8.self)
            throw .server(url: url, reason: "status \(status): \(text)")
        }
    }

    // MARK: Socket

    private func write(_ bytes: [UInt8]) throws(FeedError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[sent...])
                return Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .server(url: url, reason: "cannot send: \(LoopbackConnection.lastError)") }
            sent += count
        }
    }

    private func read(into answer: inout [UInt8]) throws(FeedError) {
        guard answer.count <= LoopbackConnection.answerMax else { throw .server(url: url, reason: "endless answer") }
        var piece = [UInt8](repeating: 0, count: 4096)
        var count = -1
        repeat { count = recv(descriptor, &piece, piece.count, 0) } while count < 0 && errno == EINTR
        guard count > 0 else {
            let reason = count == 0 ? "the server closed the connection" : LoopbackConnection.lastError
            throw .server(url: url, reason: "no answer: \(reason)")
        }
        answer.append(contentsOf: piece[..<count])
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 0...bytes.count - 4 where bytes[index...].starts(with: [13, 10, 13, 10]) { return index + 4 }
        return nil
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}
