import ConfigTree
import Glibc
import NIOPosix
import NIOSSL
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("TLS settings")
struct TLSTests {
    private func answer(
        _ configuration: String, host: String = "127.0.0.1", isNamed: Bool = false,
        _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) async throws -> Result<Int, OutboundError> {
        let context = try TLSFixture.serverContext(isNamed: isNamed, change)
        let server = try await LoopbackServer.start(tls: context) { request in
            request.headers["host"]?.hasPrefix(host) == true ? .answer(body: []) : .answer(status: "400 Bad", body: [])
        }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        var section = try ConfigNode.parse(configuration, file: "t.yml").section("test")
        let client = try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
        let request = OutboundRequest(
            .get, "https://\(host):\(server.port)/", client: client, timeout: 60_000)
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

    @Test("Over a unix socket TLS is spoken to whoever is there, if its name need not be proved")
    func unixSocket() async throws {
        let path = "/tmp/hearth-test-\(UInt64.random(in: .min ... .max)).sock"
        defer { unlink(path) }
        let context = try TLSFixture.serverContext()
        let server = try await LoopbackServer.start(tls: context, socketPath: path) { request in
            .answer(body: Array(((request.headers["host"] ?? "") + request.path).utf8))
        }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        var request = OutboundRequest(.get, "https://app:9100/a?b=c", timeout: 60_000)
        request.unixSocket = path
        let refused = request
        let error = await #expect(throws: OutboundError.self) { try await transport.send(refused) }
        #expect(error?.message.hasSuffix("TLS over a unix socket needs insecure_skip_verify") == true)
        var section = try ConfigNode.parse("tls_config: {insecure_skip_verify: true}", file: "t.yml").section("test")
        request.client = try HTTPClientSection(taking: &section, baseDirectory: "/nowhere")
        #expect(try await transport.send(request).body == Array("app:9100/a?b=c".utf8))
        await transport.shutdown()
        await server.stop()
    }

    @Test("A configured authority is trusted, read again when its file changes")
    func authority() async throws {
        let file = TemporaryFile(TLSFixture.certificate)
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

    @Test("The name to be proved can be another than the URL's, which stays the one that is asked for")
    func serverName() async throws {
        let file = TemporaryFile(TLSFixture.namedCertificate)
        defer { file.remove() }
        for host in ["127.0.0.1", "localhost"] {
            let good = try await answer(
                "tls_config: {ca_file: \(file.path), server_name: named.test}", host: host, isNamed: true)
            #expect(good == .success(200))
            let bad = try await answer(
                "tls_config: {ca_file: \(file.path), server_name: other.test}", host: host, isNamed: true)
            guard case .failure(let error) = bad else {
                Issue.record("a certificate for another name was accepted")
                continue
            }
            #expect(error.kind == .connection && error.message.contains("tls: "))
        }
    }

    @Test("A client certificate is shown to a server that wants one, from files or from the configuration")
    func clientCertificate() async throws {
        let files = [TemporaryFile(TLSFixture.certificate), TemporaryFile(TLSFixture.key)]
        defer { for file in files { file.remove() } }
        let roots = try NIOSSLCertificate.fromPEMBytes(Array(TLSFixture.certificate.utf8))
        func answer(_ text: String) async throws -> Result<Int, OutboundError> {
            try await self.answer(text) { configuration in
                configuration.certificateVerification = .noHostnameVerification
                configuration.trustRoots = .certificates(roots)
            }
        }
        let ca = "insecure_skip_verify: true"
        let named = try await answer("tls_config: {\(ca), cert_file: \(files[0].path), key_file: \(files[1].path)}")
        #expect(named == .success(200))
        let indented = { (text: String) in text.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n") }
        let inline = try await answer(
            "tls_config:\n  \(ca)\n  cert: |\n\(indented(TLSFixture.certificate))\n  key: |\n\(indented(TLSFixture.key))\n"
        )
        #expect(inline == .success(200))
        guard case .failure(let error) = try await answer("tls_config: {\(ca)}") else {
            Issue.record("the server was content without a certificate")
            return
        }
        #expect(error.kind == .connection)
    }

    @Test("Versions are kept within what is configured")
    func versions() async throws {
        let old: (inout TLSConfiguration) -> Void = { $0.maximumTLSVersion = .tlsv12 }
        let verify = "insecure_skip_verify: true"
        let refused = try await answer("tls_config: {\(verify), min_version: TLS13}", old)
        guard case .failure = refused else {
            Issue.record("TLS 1.2 was accepted")
            return
        }
        let taken = try await answer("tls_config: {\(verify), min_version: TLS12, max_version: TLS12}", old)
        #expect(taken == .success(200))
        let new = try await answer("tls_config: {\(verify), min_version: TLS13}")
        #expect(new == .success(200))
    }
}
