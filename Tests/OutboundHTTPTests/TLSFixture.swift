import NIOSSL

/// A certificate and its key, and a server that has them.
enum TLSFixture {
    /// A self-signed certificate for 127.0.0.1 and localhost, made for these tests only, and its key.
    static let certificate = """
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

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgliii8LHdgQFfBZ+W
        VHjMEDI0hx9h7QfURJVkmFS1GgehRANCAARbXpSQXufzLt2FpCVN2x2r1JAghIJl
        auewMXU9bsHVslKfHafM/KrN0mtwo1q58fCA8M08Pjjl4kQAJ4zZtyYz
        -----END PRIVATE KEY-----
        """

    /// - Parameter change: what a server wants otherwise.
    static func serverContext(_ change: (inout TLSConfiguration) -> Void = { _ in }) throws -> NIOSSLContext {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(TLSFixture.key.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
        change(&configuration)
        return try NIOSSLContext(configuration: configuration)
    }
}
