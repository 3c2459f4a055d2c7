import ConfigTree
import NIOPosix
import NIOSSL
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("TLS settings")
struct TLSTests {
    /// A self-signed certificate for 127.0.0.1 and localhost, made for these tests only, and its key.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBozCCAUmgAwIBAgIUFd20pSTzE+GA5i6BSmJg9Jf3gowwCgYIKoZIzj0EAwIw
        GDEWMBQGA1UEAwwNbG9vcGJhY2sudGVzdDAgFw0yNjExMjQyMjA5MjVaGA8yMTI2
        MTAzMTIyMDkyNVowGDEWMBQGA1UEAwwNbG9vcGJhY2sudGVzdDBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABFtelJBe5/Mu3YWkJU3bHavUkCCEgmVq57AxdT1uwdWy
        Up8dp8z8qs3Sa3CjWrnx8IDwzTw+OOXiRAAnjNm3JjOjbzBtMB0GA1UdDgQWBBRP
        QqlWZw0fCadfrrEgsCVi5sil1zAfBgNVHSMEGDAWgBRPQqlWZw0fCadfrrEgsCVi
        5sil1zAPBgNVHRMBAf8EBTADAQH/MBoGA1UdEQQTMBGHBH8AAAGCCWxvY2FsaG9z
        dDAKBggqhkjOPQQDAgNIADBFAiEAtDT9+/1Ox16CjesHv9ePZoUQ5yhfXMFNWuT/
        cjtNPlUCICKEK12VKpLR6ammn0hIuXGhxl4vmjU8QxX0MF4LYjS8
        -----END CERTIFICATE-----
        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgliii8LHdgQFfBZ+W
        VHjMEDI0hx9h7QfURJVkmFS1GgehRANCAARbXpSQXufzLt2FpCVN2x2r1JAghIJl
        auewMXU9bsHVslKfHafM/KrN0mtwo1q58fCA8M08Pjjl4kQAJ4zZtyYz
        -----END PRIVATE KEY-----
        """

    private func answer(_ configuration: String, host: String = "127.0.0.1") async throws -> Result<Int, OutboundError>
    {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(TLSTests.certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(TLSTests.key.utf8), format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key)))
        let server = try await LoopbackServer.start(tls: context) { _ in .answer(body: []) }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        var section = try ConfigNode.parse(configuration, file: "t.yml").section("test")
        let client = try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
        let request = OutboundRequest(
            .get, "https://\(host):\(server.port)/", client: client, timeout: 5000)
        let result: Result<Int, OutboundError>
        do {
            result = .success(try await transport.send(request).status)
        } catch { result = .failure(error) }
        await transport.shutdown()
        await server.stop()
        return result
    }

    @Test("An unknown authority is refused, unless verification is switched off")
    func verification() async throws {
        guard case .failure(let error) = try await answer("{}") else {
            Issue.record("the certificate was accepted")
            return
        }
        #expect(error.kind == .connection)
        #expect(error.message.contains("tls: "))
        let unverified = try await answer("tls_config: {insecure_skip_verify: true}")
        #expect(unverified == .success(200))
    }

    @Test("A configured authority is trusted, read again when its file changes")
    func authority() async throws {
        let file = TemporaryFile(TLSTests.certificate)
        defer { file.remove() }
        for host in ["127.0.0.1", "localhost"] {
            let trusted = try await answer("tls_config: {ca_file: \(file.path)}", host: host)
            #expect(trusted == .success(200))
        }
        file.write("no certificate\n")
        guard case .failure(let error) = try await answer("tls_config: {ca_file: \(file.path)}") else {
            Issue.record("a file without certificate was accepted")
            return
        }
        #expect(error.kind == .credentials)
    }

    @Test("A missing file is named")
    func missingFile() async throws {
        guard case .failure(let error) = try await answer("tls_config: {ca_file: missing.pem}") else {
            Issue.record("a missing file was accepted")
            return
        }
        #expect(
            error
                == OutboundError(
                    .credentials,
                    "unable to read TLS file: open /nowhere/missing.pem: no such file or directory"))
    }
}
