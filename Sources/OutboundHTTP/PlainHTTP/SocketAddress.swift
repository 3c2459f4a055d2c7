import Glibc

/// Where a request goes: what connections are kept for.
enum Destination: Hashable, Sendable {
    /// A name or an address, IPv6 without brackets.
    case tcp(host: String, port: UInt16)
    /// The same of a SOCKS proxy, and where it leads.
    case socks(host: String, port: UInt16, SOCKSRoute)
    /// A socket of this machine.
    case unix(path: String)
}

/// An address that can be connected to.
struct SocketAddress: Sendable {
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0
    /// Of a socket of this machine.
    private var path: String?

    /// - Parameter address: of the Internet, as the system gave it; nil where it is another.
    init?(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        let family = Int32(address.pointee.sa_family)
        guard family == AF_INET || family == AF_INET6, Int(length) <= MemoryLayout<sockaddr_storage>.size else {
            return nil
        }
        withUnsafeMutableBytes(of: &storage) { target in
            target.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(length)))
        }
        self.length = length
    }

    /// Nil where the path is longer than the system takes, or is none.
    init?(path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard !bytes.isEmpty, bytes.count < room, !bytes.contains(0) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        withUnsafeMutableBytes(of: &storage) { target in
            withUnsafeBytes(of: &address) { target.copyMemory(from: $0) }
        }
        length = socklen_t(MemoryLayout<sockaddr_un>.size)
        self.path = path
    }

    /// The addresses of a name or of an address in digits. Asking for a name may wait long for other servers.
    /// - Parameter isNumeric: to take digits only, which waits for nobody.
    /// - Returns: at least one, or the reason.
    static func lookUp(_ host: String, isNumeric: Bool) -> Result<[SocketAddress], LookUpFailure> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = isNumeric ? AI_NUMERICHOST : 0
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0, let list else {
            let isUnknown = code == EAI_NONAME || code == -5  // EAI_NODATA
            let words = isUnknown ? "no such host" : String(cString: gai_strerror(code))
            return .failure(LookUpFailure(reason: words.prefix(1).lowercased() + words.dropFirst()))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        for info in sequence(first: list, next: { $0.pointee.ai_next }) {
            guard let address = info.pointee.ai_addr,
                let known = SocketAddress(address, length: info.pointee.ai_addrlen)
            else { continue }
            addresses.append(known)
        }
        return addresses.isEmpty ? .failure(LookUpFailure(reason: "no such host")) : .success(addresses)
    }

    struct LookUpFailure: Error, Sendable { let reason: String }

    func withPort(_ port: UInt16) -> SocketAddress {
        var copy = self
        withUnsafeMutableBytes(of: &copy.storage) { bytes in
            // The port stands at the same place in both families.
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        }
        return copy
    }

    /// A socket on its way to the address; it may be connected already.
    /// - Throws: `.dial`, or `.system` where there is no socket.
    func connect() throws(PlainFault) -> (socket: Int32, isConnected: Bool) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let family = Int32(storage.ss_family)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw .system(code: errno) }
        if family != AF_UNIX {
            // Requests are written whole: nothing is gained by waiting for more.
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        let status = withUnsafeBytes(of: storage) { bytes in
            bytes.baseAddress.map { Glibc.connect(descriptor, $0.assumingMemoryBound(to: sockaddr.self), length) } ?? -1
        }
        if status == 0 { return (descriptor, true) }
        let code = errno
        // Interrupted, too, it goes on by itself.
        if code == EINPROGRESS || code == EINTR { return (descriptor, false) }
        close(descriptor)
        throw .dial(self, code: code)
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `tcp 127.0.0.1:80`, `tcp [::1]:80`, `unix /path`.
    var description: String {
        if let path { return "unix " + path }
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: 32)
        let code = withUnsafeBytes(of: storage) { bytes in
            bytes.baseAddress.map { address in
                getnameinfo(
                    address.assumingMemoryBound(to: sockaddr.self), length, &host, socklen_t(host.count), &service,
                    socklen_t(service.count), NI_NUMERICHOST | NI_NUMERICSERV)
            }
        }
        guard code == 0 else { return "tcp" }
        let name = SocketAddress.text(host)
        return "tcp " + (name.contains(":") ? "[\(name)]" : name) + ":" + SocketAddress.text(service)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The clock of deadlines: it neither jumps nor runs back.
enum MonotonicClock {
    /// ns
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
