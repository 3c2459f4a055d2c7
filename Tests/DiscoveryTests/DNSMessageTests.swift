import NIOCore
import TestSupport
import Testing

@testable import Discovery

/// Writes answers as a server would, byte by byte.
struct AnswerWriter {
    var bytes: [UInt8]

    init(_ identifier: UInt16, flags: UInt16 = 0x8180, questions: UInt16 = 1, answers: UInt16) {
        bytes = []
        for word in [identifier, flags, questions, answers, 0, 0] { self.word(word) }
    }

    mutating func word(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(value & 0xFF)] }

    mutating func name(_ text: String) { bytes += DNSMessage.encoded(name: text) ?? [0] }

    mutating func question(_ name: String, _ type: DNSRecordType) {
        self.name(name)
        word(type.rawValue)
        word(1)
    }

    /// A record whose name is that of the question.
    mutating func record(_ type: UInt16, _ data: [UInt8], count: UInt16? = nil) {
        bytes += [0xC0, 12]
        word(type)
        word(1)
        bytes += [0, 0, 0, 60]
        word(count ?? UInt16(data.count))
        bytes += data
    }
}

@Suite("DNS messages")
struct DNSMessageTests {
    private func answer(
        _ writer: AnswerWriter, _ type: DNSRecordType = .a, name: String = "a.example."
    ) throws -> DNSMessage? {
        try DNSMessage.answer(writer.bytes, identifier: 7, name: name, type: type)
    }

    private func writer(_ type: DNSRecordType, answers: UInt16) -> AnswerWriter {
        var writer = AnswerWriter(7, answers: answers)
        writer.question("a.example.", type)
        return writer
    }

    @Test("A query asks for recursion and offers EDNS")
    func query() {
        let bytes = DNSMessage.query(identifier: 0x1234, name: "a.bc", type: .srv, usesEDNS: true)
        #expect(
            bytes == [
                0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0x61, 2, 0x62, 0x63, 0, 0, 33, 0, 1, 0, 0, 41, 0x04, 0xD0,
                0,
                0, 0, 0, 0, 0,
            ])
        #expect(DNSMessage.query(identifier: 1, name: "a..b", type: .a, usesEDNS: false) == nil)
        #expect(DNSMessage.encoded(name: String(repeating: "x", count: 64)) == nil)
        #expect(DNSMessage.encoded(name: String(repeating: "x.", count: 127)) != nil)
        #expect(DNSMessage.encoded(name: String(repeating: "x.", count: 128)) == nil)
    }

    @Test("Records of each type are read, those of others passed over")
    func records() throws {
        var a = writer(.a, answers: 2)
        a.record(5, [1, 0x62, 0xC0, 14])
        a.record(1, [10, 0, 0, 1])
        #expect(try answer(a)?.records == [.address("10.0.0.1")])
        var aaaa = writer(.aaaa, answers: 1)
        aaaa.record(28, [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1])
        #expect(try answer(aaaa, .aaaa)?.records == [.address("2001:db8::1")])
        var srv = writer(.srv, answers: 1)
        srv.record(33, [0, 1, 0, 2, 0x1F, 0x90, 1, 0x78, 0xC0, 12])
        #expect(try answer(srv, .srv)?.records == [.service(target: "x.a.example.", port: 8080)])
        var mx = writer(.mx, answers: 1)
        mx.record(15, [0, 10, 2, 0x6D, 0x78, 0])
        #expect(try answer(mx, .mx)?.records == [.mailExchange("mx.")])
        var ns = writer(.ns, answers: 1)
        ns.record(2, [0xC0, 14])
        #expect(try answer(ns, .ns)?.records == [.nameServer("example.")])
    }

    @Test("An answer to another question is none")
    func mismatches() throws {
        var good = writer(.a, answers: 0)
        #expect(try answer(good) != nil)
        #expect(try answer(good, name: "b.example.") == nil)
        #expect(try answer(good, .aaaa) == nil)
        #expect(try answer(good, name: "A.EXAMPLE") != nil)
        good.bytes[1] = 8
        #expect(try answer(good) == nil)
        var query = AnswerWriter(7, flags: 0x0100, answers: 0)
        query.question("a.example.", .a)
        #expect(try answer(query) == nil)
        #expect(try DNSMessage.answer([], identifier: 7, name: "a.", type: .a) == nil)
    }

    @Test("A pointer that leads to itself, forwards or round in a ring ends the reading")
    func pointerLoops() throws {
        for data: [UInt8] in [
            // To itself: the data begin at 39.
            [0xC0, 39], [0xC0, 40, 0xC0, 39], [0xC0, 45, 0xC0, 39, 0xC0, 41], [1, 0x61, 0xC0, 39], [0xC0, 0xFF], [0xC0],
        ] {
            var ns = writer(.ns, answers: 1)
            ns.record(2, data)
            #expect(throws: DiscoveryError.self, "\(data)") { try answer(ns, .ns) }
        }
    }

    @Test("A name grown over its limit by pointers is refused")
    func longName() throws {
        var writer = self.writer(.ns, answers: 6)
        // Each record's name is 60 bytes and then the one before.
        var previous: UInt16 = 12
        for _ in 0..<6 {
            let start = UInt16(writer.bytes.count + 12)
            writer.record(
                2, [60] + [UInt8](repeating: 0x61, count: 60) + [0xC0 | UInt8(previous >> 8), UInt8(previous & 255)])
            previous = start
        }
        #expect(throws: DiscoveryError.self) { try answer(writer, .ns) }
    }

    @Test("Records that are cut off or lie about their length are refused")
    func truncated() throws {
        var whole = writer(.srv, answers: 1)
        whole.record(33, [0, 1, 0, 2, 0x1F, 0x90, 1, 0x78, 0])
        let start = writer(.srv, answers: 1).bytes.count
        for count in start..<whole.bytes.count {
            #expect(throws: DiscoveryError.self) {
                try DNSMessage.answer(
                    Array(whole.bytes[..<count]), identifier: 7, name: "a.example.", type: .srv)
            }
        }
        for (type, data, count): (DNSRecordType, [UInt8], UInt16) in [
            (.a, [1, 2, 3], 3), (.aaaa, [1, 2, 3, 4], 4), (.srv, [0, 1, 0, 2, 0, 9, 1, 0x78, 0], 7), (.mx, [0], 1),
            (.a, [1, 2, 3, 4], 60_000),
        ] {
            var lying = writer(type, answers: 1)
            lying.record(type.rawValue, data, count: count)
            #expect(throws: DiscoveryError.self, "\(type)") { try answer(lying, type) }
        }
    }

    @Test("Bytes that no host name has do not get into one")
    func strangeNames() throws {
        var ns = writer(.ns, answers: 1)
        ns.record(2, [4, 0x2F, 0x0A, 0x2E, 0xFF, 0])
        #expect(try answer(ns, .ns)?.records == [.nameServer("????.")])
    }

    @Test("Each byte flipped, and random bytes, give an error, nothing, or records")
    func hostile() throws {
        var whole = writer(.srv, answers: 2)
        whole.record(33, [0, 1, 0, 2, 0x1F, 0x90, 1, 0x78, 0xC0, 12])
        whole.record(33, [0, 1, 0, 2, 0x1F, 0x90, 0xC0, 14])
        for index in whole.bytes.indices {
            for bit in 0..<8 {
                var bytes = whole.bytes
                bytes[index] ^= 1 << bit
                _ = try? DNSMessage.answer(bytes, identifier: 7, name: "a.example.", type: .srv)
            }
        }
        var random = SeededRandom(seed: 42)
        let head = writer(.srv, answers: 40).bytes
        for _ in 0..<20_000 {
            let tail = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                // Much of it pointers and small lengths, to get further.
                Bool.random(using: &random)
                    ? [0xC0, 0, 1, 12, 33, 40].randomElement(using: &random) ?? 0
                    : UInt8.random(in: 0...255, using: &random)
            }
            _ = try? DNSMessage.answer(head + tail, identifier: 7, name: "a.example.", type: .srv)
        }
    }
}

@Suite("resolv.conf")
struct ResolverConfigurationTests {
    @Test("Servers, search list and options are read within their bounds")
    func parsing() {
        let configuration = ResolverConfiguration(
            parsing: """
                # a comment
                nameserver 10.0.0.1
                nameserver not-an-address
                nameserver 2001:db8::53\t
                domain old.example
                search a.example b.example.
                options ndots:2 timeout:99 attempts:77 rotate ndots:x edns0
                """)
        #expect(configuration.servers.map(\.ipAddress) == ["10.0.0.1", "2001:db8::53"])
        #expect(configuration.servers.map(\.port) == [53, 53])
        #expect(configuration.search == ["a.example", "b.example."])
        #expect(configuration.dotsMin == 2)
        #expect(configuration.timeout == 30_000)
        #expect(configuration.attempts == 5)
        #expect(ResolverConfiguration(parsing: "").servers.map(\.ipAddress) == ["127.0.0.1"])
    }

    @Test("Names with dots are tried as they are first, others last; full ones are tried alone")
    func candidates() {
        let configuration = ResolverConfiguration(parsing: "search x y.z.\noptions ndots:2")
        #expect(configuration.candidates("a.b.c") == ["a.b.c.", "a.b.c.x.", "a.b.c.y.z."])
        #expect(configuration.candidates("a.b") == ["a.b.x.", "a.b.y.z.", "a.b."])
        #expect(configuration.candidates("a.") == ["a."])
    }
}
