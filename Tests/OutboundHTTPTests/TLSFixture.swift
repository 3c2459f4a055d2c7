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

    /// The same for `named.test` alone.
    static let namedCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmTCCAT6gAwIBAgIUL4dg0LX0tCCxAHty4qgLODDD0+AwCgYIKoZIzj0EAwIw
        FTETMBEGA1UEAwwKbmFtZWQudGVzdDAgFw0yNjExMjUwOTM4MzNaGA8yMTI2MTEw
        MTA5MzgzM1owFTETMBEGA1UEAwwKbmFtZWQudGVzdDBZMBMGByqGSM49AgEGCCqG
        SM49AwEHA0IABBKa2CpvBsarrfQAwKVpHATqn8+ZiI2saXs1mjfkZEmZaQk+Sw3A
        G9rkg9uHt5nkbhx0cbTelNzSy7aMQqhvXwWjajBoMB0GA1UdDgQWBBRWoPnAOQrJ
        YItaECJhqBLr4+UcCzAfBgNVHSMEGDAWgBRWoPnAOQrJYItaECJhqBLr4+UcCzAV
        BgNVHREEDjAMggpuYW1lZC50ZXN0MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0E
        AwIDSQAwRgIhAMe5iPET4jqfvCaNzd743fUmUD8/vKVgPnqmvolq6+j4AiEAhdQZ
        zBihXFTWvomCGymKRfS2BtoPLBxO9VOs+RdwI/Q=
        -----END CERTIFICATE-----
        """

    static let namedKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCDVKz9ZiLTLhvcdl
        cfvKpWf/fBb6T1ExGPlLwakTqYahRANCAAQSmtgqbwbGq630AMClaRwE6p/PmYiN
        rGl7NZo35GRJmWkJPksNwBva5IPbh7eZ5G4cdHG03pTc0su2jEKob18F
        -----END PRIVATE KEY-----
        """

    /// - Parameters:
    ///   - isNamed: whether the server is `named.test`.
    ///   - change: what it wants otherwise.
    static func serverContext(
        isNamed: Bool = false, _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) throws -> NIOSSLContext {
        let pem = isNamed ? namedCertificate : certificate
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array((isNamed ? namedKey : key).utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
        change(&configuration)
        return try NIOSSLContext(configuration: configuration)
    }
}
