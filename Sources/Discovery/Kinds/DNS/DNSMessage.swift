import Glibc

/// The types of records that discovery asks for.
enum DNSRecordType: UInt16, Sendable, Hashable {
    case a = 1
    case ns = 2
    case mx = 15
    case aaaa = 28
    case srv = 33

    private static let names: [(String, DNSRecordType)] = [
        ("A", .a), ("NS", .ns), ("MX", .mx), ("AAAA", .aaaa), ("SRV", .srv),
    ]

    init?(configured name: String) {
        guard let pair = DNSRecordType.names.first(where: { $0.0 == name }) else { return nil }
        self = pair.1
    }

    var name: String { DNSRecordType.names.first { $0.1 == self }?.0 ?? "" }
}

/// A record of an answer. Names end in a dot.
enum DNSRecord: Sendable, Hashable {
    case address(String)
    case service(target: String, port: Int)
    case mailExchange(String)
    case nameServer(String)
}

/// A DNS message (RFC 1035, RFC 2782, RFC 3596; EDNS RFC 6891), as far as a client needs to write and read it. The
/// reader trusts nothing: every offset is checked, and a compressed name may point only backwards.
struct DNSMessage: Sendable, Hashable {
    enum Code: Int, Sendable {
        case noError = 0
        case formatError = 1
        case nameError = 3
    }

    var identifier: UInt16
    var isTruncated: Bool
    /// The response code as it came; see `Code` for those that mean something here.
    var code: Int
    /// Those of the type asked for; others, as the aliases on the way, are passed over.
    var records: [DNSRecord]

    private static let headerBytes = 12
    private static let classInternet: UInt16 = 1
    /// What an answer over UDP may be long: it passes all usual networks in one piece.
    static let udpBytesMax: UInt16 = 1232

    // MARK: - Writing

    /// A query with one question. - Returns: nil where the name is none.
    static func query(
        identifier: UInt16, name: String, type: DNSRecordType, usesEDNS: Bool
    ) -> [UInt8]? {
        guard let question = question(name, type) else { return nil }
        var bytes = big(identifier)
        // A standard query, recursion desired.
        bytes += [0x01, 0x00]
        bytes += big(1) + big(0) + big(0) + big(usesEDNS ? 1 : 0)
        bytes += question
        if usesEDNS { bytes += [0] + big(41) + big(udpBytesMax) + [0, 0, 0, 0, 0, 0] }
        return bytes
    }

    private static func question(_ name: String, _ type: DNSRecordType) -> [UInt8]? {
        encoded(name: name).map { $0 + big(type.rawValue) + big(classInternet) }
    }

    private static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    /// A name as its labels, each with its length in front. Nil for empty labels and those over 63 bytes, and where the
    /// whole is over 255.
    static func encoded(name: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var text = name.utf8[...]
        if text.last == UInt8(ascii: ".") { text = text.dropLast() }
        if text.isEmpty { return name == "." ? [0] : nil }
        for label in text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard let count = UInt8(exactly: label.count), (1...63).contains(count) else { return nil }
            bytes.append(count)
            bytes += label
        }
        bytes.append(0)
        return bytes.count <= 255 ? bytes : nil
    }

    // MARK: - Reading

    /// Reads the answer to a query.
    /// - Returns: nil where the bytes are no answer to just this query, which then may still come.
    /// - Throws: where they are, and are malformed.
    static func answer(
        _ bytes: [UInt8], identifier: UInt16, name: String, type: DNSRecordType
    ) throws(DiscoveryError) -> DNSMessage? {
        var reader = Reader(bytes: bytes)
        guard let identifierRead = reader.word(), identifierRead == identifier, let flags = reader.word(),
            flags & 0x8000 != 0, let questions = reader.word(), let answers = reader.word(), reader.skip(4)
        else { return nil }
        var message = DNSMessage(
            identifier: identifier, isTruncated: flags & 0x0200 != 0, code: Int(flags & 0x000F), records: [])
        // Servers that could not read the query send it back without the question.
        if questions == 0, message.code != 0 { return message }
        guard questions == 1, let asked = reader.name(), asked.lowercased() == canonical(name),
            reader.word() == type.rawValue, reader.word() == classInternet
        else { return nil }
        // What is cut off is asked for again by other means.
        if message.isTruncated { return message }
        for _ in 0..<answers {
            guard let record = try reader.record(type) else { continue }
            message.records.append(record)
        }
        return message
    }

    private static func canonical(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.utf8.last == UInt8(ascii: ".") ? lower : lower + "."
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func word() -> UInt16? {
            guard position + 2 <= bytes.count else { return nil }
            defer { position += 2 }
            return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
        }

        mutating func skip(_ count: Int) -> Bool {
            guard count <= bytes.count - position else { return false }
            position += count
            return true
        }

        /// The name at the position, which is then behind it. Nil where it is malformed.
        ///
        /// A pointer must point before the place it was found at, and before the one that led there: so names end.
        mutating func name() -> String? {
            var text: [UInt8] = []
            var cursor = position
            var end: Int?
            var limit = position
            while true {
                guard cursor < bytes.count else { return nil }
                let count = Int(bytes[cursor])
                switch count {
                case 0:
                    position = end ?? cursor + 1
                    return text.isEmpty ? "." : String(decoding: text, as: UTF8.self)
                case 0xC0...0xFF:
                    guard cursor + 1 < bytes.count else { return nil }
                    let target = (count & 0x3F) << 8 | Int(bytes[cursor + 1])
                    guard target < limit else { return nil }
                    end = end ?? cursor + 2
                    limit = target
                    cursor = target
                case 1...63:
                    guard count < bytes.count - cursor, text.count + count + 1 <= 255 else { return nil }
                    text += bytes[cursor + 1...cursor + count].map(Reader.printable)
                    text.append(UInt8(ascii: "."))
                    cursor += count + 1
                default: return nil
                }
            }
        }

        /// Whatever is no letter, digit, hyphen or underscore of a name becomes a question mark: it cannot be part of an
        /// address, and shall not look like one.
        private static func printable(_ byte: UInt8) -> UInt8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "*"):
                byte
            default: UInt8(ascii: "?")
            }
        }

        /// The resource record at the position; nil for one of another type or class.
        mutating func record(_ wanted: DNSRecordType) throws(DiscoveryError) -> DNSRecord? {
            guard name() != nil, let type = word(), let recordClass = word(), skip(4), let count = word() else {
                throw malformed
            }
            let start = position
            guard skip(Int(count)) else { throw malformed }
            let end = position
            guard type == wanted.rawValue, recordClass == DNSMessage.classInternet else { return nil }
            position = start
            defer { position = end }
            var found: DNSRecord?
            switch wanted {
            case .a where count == 4, .aaaa where count == 16: found = address(start..<end)
            case .a, .aaaa: break
            case .ns: found = name().map { .nameServer($0) }
            case .mx: if word() != nil { found = name().map { .mailExchange($0) } }
            case .srv:
                if skip(4), let port = word() { found = name().map { .service(target: $0, port: Int(port)) } }
            }
            // A name in the data may point elsewhere, but must not reach beyond.
            guard let found, position <= end else { throw malformed }
            return found
        }

        private var malformed: DiscoveryError { DiscoveryError("malformed DNS answer at offset \(position)") }

        private func address(_ range: Range<Int>) -> DNSRecord? {
            let family = range.count == 4 ? AF_INET : AF_INET6
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let isText = bytes[range].withUnsafeBytes {
                inet_ntop(family, $0.baseAddress, &text, socklen_t(text.count)) != nil
            }
            guard isText else { return nil }
            return .address(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
    }
}
