import ConfigTree
import SeriesModel
import Synchronization
import Testing

@testable import OutboundHTTP

@Suite("Token servers that refuse")
struct OAuth2FailureTests {
    private static func section(_ keys: String) throws -> OAuth2Section {
        var section = try ConfigNode.parse(
            "oauth2: {client_id: a, token_url: 'http://t/token', \(keys)}", file: "t.yml"
        ).section("test")
        return try #require(try HTTPClientSection(taking: &section, baseDirectory: "/nowhere").oauth2)
    }

    @Test("A failure is remembered for a second, whoever asks")
    func remembered() async throws {
        let clock = ManualClock(now: 1_700_000_000_000)
        let tokens = OAuth2Tokens(clock: clock)
        let section = try Self.section("client_secret: s")
        let count = Atomic(0)
        func ask() async -> OutboundError? {
            do throws(OutboundError) {
                _ = try await tokens.header(for: section, userAgent: nil, timeout: 60_000) {
                    _ throws(OutboundError) in
                    count.wrappingAdd(1, ordering: .relaxed)
                    return OutboundResponse(status: 401, reason: "Unauthorized", headers: [], body: [])
                }
                return nil
            } catch { return error }
        }
        let first = await ask()
        #expect(first?.message.contains("401 Unauthorized") == true)
        // In the header, and in the form.
        #expect(count.load(ordering: .relaxed) == 2)
        clock.advance(by: 999)
        for _ in 0..<10 {
            let again = await ask()
            #expect(again == first)
        }
        #expect(count.load(ordering: .relaxed) == 2)
        clock.advance(by: 1)
        _ = await ask()
        #expect(count.load(ordering: .relaxed) == 4)
        // A clock that is set back does not prolong it.
        clock.set(to: 1_600_000_000_000)
        _ = await ask()
        #expect(count.load(ordering: .relaxed) == 6)
    }

    @Test("Another secret is tried at once")
    func otherSecret() async throws {
        let tokens = OAuth2Tokens(clock: ManualClock(now: 1_700_000_000_000))
        let count = Atomic(0)
        for secret in ["s", "t"] {
            let section = try Self.section("client_secret: \(secret)")
            await #expect(throws: OutboundError.self) {
                _ = try await tokens.header(for: section, userAgent: nil, timeout: 60_000) {
                    _ throws(OutboundError) in
                    count.wrappingAdd(1, ordering: .relaxed)
                    return OutboundResponse(status: 401, reason: "Unauthorized", headers: [], body: [])
                }
            }
        }
        #expect(count.load(ordering: .relaxed) == 4)
    }
}
