import Testing

@testable import RemoteStorage

@Suite("Which queue an entry is")
struct QueueIdentityTests {
    private static func section(_ keys: String, url: String = "http://u:pw@a/") throws -> RemoteWriteSection {
        try SenderBench.section(url, keys)
    }

    @Test("queues are named by their entry or its hash, consumers by name or URL")
    func names() throws {
        let plain = try Self.section("remote_timeout: 5s")
        let named = try Self.section("name: x")
        let all = QueueIdentity.all(of: [plain, named])
        #expect(all.map(\.consumer) == ["url:http://u:xxxxx@a/", "name:x"])
        #expect(all[0].name.utf8.count == 6 && all[1].name == "x")
        let changed = try Self.section("remote_timeout: 6s, headers: {X-A: b}")
        #expect(QueueIdentity.all(of: [changed])[0].consumer == all[0].consumer)
    }

    @Test("entries without a name that share a URL keep their places wherever they stand")
    func sharedURL() throws {
        let first = try Self.section("headers: {X-Scope-OrgID: a}")
        let second = try Self.section("headers: {X-Scope-OrgID: b}")
        let third = try Self.section("write_relabel_configs: [{action: drop, source_labels: [n], regex: x}]")
        let before = QueueIdentity.all(of: [first, second])
        let after = QueueIdentity.all(of: [third, second, first])
        #expect(Set(after.map(\.consumer)).count == 3)
        #expect(after[2] == before[0])
        #expect(after[1] == before[1])
        #expect(before.allSatisfy { $0.consumer.hasPrefix("url:http://u:xxxxx@a/#") })
    }

    @Test("how an entry is sent does not change which one it is")
    func sendingDoesNotMatter() throws {
        let other = try Self.section("headers: {X-Scope-OrgID: b}")
        let slow = try Self.section("remote_timeout: 5s, queue_config: {max_shards: 3}, metadata_config: {send: false}")
        let quick = try Self.section("remote_timeout: 6s, failed_request_logging: true, round_robin_dns: true")
        let before = QueueIdentity.all(of: [slow, other])
        let after = QueueIdentity.all(of: [quick, other])
        #expect(before.map(\.consumer) == after.map(\.consumer))
    }

    @Test("entries that send the same are told apart by the rest of their keys, and then by their order")
    func sameContent() throws {
        let slow = try Self.section("remote_timeout: 5s")
        let quick = try Self.section("remote_timeout: 6s")
        let before = QueueIdentity.all(of: [slow, quick])
        let after = QueueIdentity.all(of: [quick, slow])
        #expect(before[0].consumer != before[1].consumer)
        #expect(before == after.reversed())
        let equal = QueueIdentity.all(of: [slow, slow]).map(\.consumer)
        #expect(equal[1] == equal[0] + ",2")
    }

    @Test("entries that are the same are refused")
    func complaints() throws {
        let a = try Self.section("remote_timeout: 5s")
        let b = try Self.section("remote_timeout: 6s")
        let named = try Self.section("name: x", url: "http://a/")
        #expect(RemoteWriteSender.complaint(about: [a, b, named]) == nil)
        #expect(
            RemoteWriteSender.complaint(about: [a, named, a])
                == "duplicate remote write configs are not allowed, found duplicate for URL: http://u:xxxxx@a/")
    }
}
