import NIOPosix
import NIOSSL
import OutboundHTTP
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite("Kubernetes discovery over TLS")
struct KubernetesTLSTests {
    /// A self-signed certificate for 127.0.0.1, made for these tests only, and its key.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmDCCAT6gAwIBAgIUU9PBTsdVSPdIpqoWnpLUw1wjo5gwCgYIKoZIzj0EAwIw
        GDEWMBQGA1UEAwwNbG9vcGJhY2sudGVzdDAgFw0yNjExMjUwOTUyMjZaGA8yMTI2
        MTEwMTA5NTIyNlowGDEWMBQGA1UEAwwNbG9vcGJhY2sudGVzdDBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABL9EXEmWE3BuyE4YivJSDbF19nKnY9L2odNe5b/CXPYL
        NZG6Iq4c9ZSi8gb7j2bZ4LIotqdO6soAOicLI2RPAuyjZDBiMB0GA1UdDgQWBBQm
        FzM5nu+SKLQ144lK4EDtWYrKqjAfBgNVHSMEGDAWgBQmFzM5nu+SKLQ144lK4EDt
        WYrKqjAPBgNVHRMBAf8EBTADAQH/MA8GA1UdEQQIMAaHBH8AAAEwCgYIKoZIzj0E
        AwIDSAAwRQIhAI2q2hwHy/Vj94yagsARuHO213kiy5PAAAdes2ADkOjZAiATNzjv
        U6S5UzNwoLybexyScmmo1w9rwj2k4naIQSRd/g==
        -----END CERTIFICATE-----
        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVsGZBghs4MaH+YGb
        2IO761o7LTWI1lxJFhWvYCE76F6hRANCAAS/RFxJlhNwbshOGIryUg2xdfZyp2PS
        9qHTXuW/wlz2CzWRuiKuHPWUovIG+49m2eCyKLanTurKADonCyNkTwLs
        -----END PRIVATE KEY-----
        """

    /// RFC 4648, section 4.
    private static func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for position in 0..<4 {
                out.append(position <= group.count ? alphabet[word >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    @Test("A kubeconfig's authority is trusted, another is not; the token is read anew for each request")
    func authorityAndToken() async throws {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(Self.certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(Self.key.utf8), format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key)))
        let tokens = Mutex<[String]>([])
        let server = try await LoopbackServer.start(tls: context) { request in
            tokens.withLock { $0.append(request.headers["authorization"] ?? "") }
            return request.path.contains("watch=true")
                ? .answer(status: "410 Gone", body: [])
                : .answer(
                    body: Array(
                        #"{"metadata":{"resourceVersion":"1"},"items":[\#(KubernetesFixture.service)]}"#.utf8))
        }
        let directory = try TemporaryDirectory()
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        func config(_ authority: String) throws -> String {
            let path = try directory.write(
                "config",
                """
                current-context: x
                contexts: [{name: x, context: {cluster: c, user: u}}]
                clusters: [{name: c, cluster: {server: 'https://127.0.0.1:\(server.port)'\(authority)}}]
                users: [{name: u, user: {tokenFile: token}}]
                """)
            return "kubernetes_sd_configs: [{role: service, kubeconfig_file: '\(path)'}]"
        }
        try directory.write("token", "first")
        let clock = ManualClock(now: 0)
        let bench = Bench(transport, clock: clock)
        try await bench.run(try config(", certificate-authority-data: \(Self.base64(Self.certificate))")) {
            #expect(await eventually { bench.addresses == ["web.ns.svc:80"] })
            // The first 410 is answered by a list at once; later ones after a pause.
            #expect(await eventually { clock.sleeperCount == 1 })
            #expect(tokens.withLock { Set($0) } == ["Bearer first"])
            try directory.write("token", "second")
            clock.advance(by: 60_000)
            #expect(await eventually { tokens.withLock { $0.contains("Bearer second") } })
        }
        let stranger = Bench(transport, clock: ManualClock(now: 0))
        try await stranger.run(try config("")) {
            #expect(await eventually { stranger.failureCount == 1 })
        }
        #expect(stranger.addresses.isEmpty)
        directory.remove()
        await transport.shutdown()
        await server.stop()
    }
}
