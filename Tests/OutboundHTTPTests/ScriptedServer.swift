import Glibc
import OwnThreads
import Synchronization

/// A server of one's own sockets: each connection has a thread that does what the test says, byte by byte. For what a
/// proper server never does.
final class ScriptedServer: Sendable {
    let port: Int
    private let listener: Int32
    private let accepted = Atomic(0)

    /// The server's end of a connection, closed when the script is over.
    struct Peer: Sendable {
        fileprivate let socket: Int32
        /// From 1 on.
        let number: Int

        /// The next request up to its empty line; nil when the client has closed, or says nothing for a minute.
        func readHead() -> String? {
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                guard recv(socket, &byte, 1, 0) == 1 else { return nil }
                bytes.append(byte)
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// So many bytes, fewer where the client closes.
        func read(_ count: Int) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            var done = 0
            while done < count {
                let read = bytes.withUnsafeMutableBytes { room in
                    room.baseAddress.map { recv(socket, $0 + done, min(count - done, 4096), 0) } ?? -1
                }
                guard read > 0 else { break }
                done += read
            }
            return Array(bytes.prefix(done))
        }

        @discardableResult
        func write(_ text: String) -> Bool { write(Array(text.utf8)) }

        /// - Returns: false where the client has closed.
        @discardableResult
        func write(_ bytes: [UInt8]) -> Bool {
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes { bytes in
                    bytes.baseAddress.map { send(socket, $0 + done, bytes.count - done, Int32(MSG_NOSIGNAL)) } ?? -1
                }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }

        func answer(_ body: String) { write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)") }

        /// Passes bytes on to a port of this machine and back, until either side has closed.
        func relay(toPort port: Int) {
            let other = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(other) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(clamping: port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let code = withUnsafeBytes(of: &address) { bytes in
                bytes.baseAddress.map {
                    connect(other, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
                } ?? -1
            }
            guard code == 0 else { return }
            let target = Peer(socket: other, number: number)
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            while true {
                var ready = [
                    pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: other, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&ready, 2, 60_000) > 0 else { return }
                for (from, to) in [(ready[0], target), (ready[1], self)] where from.revents != 0 {
                    let count = recv(from.fd, &buffer, buffer.count, 0)
                    guard count > 0, to.write(Array(buffer.prefix(count))) else { return }
                }
            }
        }

        /// Waits until the client closes.
        func waitForEnd() { while !read(1).isEmpty {} }
    }

    /// - Parameter backlog: how many connections may wait to be accepted.
    init(backlog: Int32 = 128, accepts: Bool = true, _ script: @escaping @Sendable (Peer) -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (descriptor, size) = (listener, length)
        let code = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
            guard let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
            return bind(descriptor, address, size) | listen(descriptor, backlog)
                | getsockname(descriptor, address, &length)
        }
        struct NoServer: Error {}
        guard code == 0 else { throw NoServer() }
        port = Int(address.sin_port.bigEndian)
        guard accepts else { return }
        try SystemThread.start("scripted server") { [self] in accept(script) }
    }

    private func accept(_ script: @escaping @Sendable (Peer) -> Void) {
        while true {
            let socket = Glibc.accept(listener, nil, nil)
            guard socket >= 0 else { return }
            var time = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
            let peer = Peer(socket: socket, number: accepted.add(1, ordering: .relaxed).newValue)
            let isStarted: Void? = try? SystemThread.start("scripted peer", stackBytes: 256 << 10) {
                script(peer)
                close(socket)
            }
            if isStarted == nil { close(socket) }
        }
    }

    var connectionCount: Int { accepted.load(ordering: .relaxed) }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Nobody is let in any more.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

/// How many descriptors of this process are sockets connected to a port of this machine.
func socketCount(connectedTo port: Int) -> Int {
    var inodes: Set<String> = []
    for line in text(of: "/proc/self/net/tcp").split(separator: "\n").dropFirst() {
        let fields = line.split(separator: " ")
        guard fields.count > 9, let digits = fields[2].split(separator: ":").last, Int(digits, radix: 16) == port else {
            continue
        }
        inodes.insert("socket:[\(fields[9])]")
    }
    guard let folder = opendir("/proc/self/fd") else { return -1 }
    defer { closedir(folder) }
    var count = 0
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        var target = [UInt8](repeating: 0, count: 64)
        let length = target.withUnsafeMutableBytes { room in
            room.baseAddress.map { readlink("/proc/self/fd/" + name, $0.assumingMemoryBound(to: CChar.self), 64) } ?? 0
        }
        if length > 0, inodes.contains(String(decoding: target.prefix(length), as: UTF8.self)) { count += 1 }
    }
    return count
}

private func text(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&part, 1, part.count, file)
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += part.prefix(count)
    }
}

/// Waits until a condition holds, giving other tasks their turn; at most ten seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<2000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}
