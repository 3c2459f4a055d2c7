import ConfigTree
import Glibc
import NIOSSL
import Synchronization

/// TLS settings made from `tls_config` sections. Making them reads and parses files; they are made once and again
/// whenever one of the files has changed, so that a renewed certificate is used without a reload. Settings of equal
/// content share connections.
final class TLSConfigurationCache: Sendable {
    struct Configuration: Sendable {
        let value: TLSConfiguration
    }

    private struct Entry {
        var stamps: [FileStamp]
        var configuration: Configuration
    }

    private struct FileStamp: Equatable {
        var inode: UInt64 = 0
        var size: Int64 = 0
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
    }

    private static let countMax = 256

    private let entries = Mutex<[TLSSection: Entry]>([:])

    /// Nil for the default settings.
    func configuration(for section: TLSSection) throws(OutboundError) -> Configuration? {
        if section == TLSSection() { return nil }
        var section = section
        // The client is told of the name in another way: settings without it can be shared.
        section.serverName = ""
        let stamps = [section.authorities, section.certificate, section.key].map { TLSConfigurationCache.stamp($0) }
        if let entry = entries.withLock({ $0[section] }), entry.stamps == stamps { return entry.configuration }
        let configuration = Configuration(value: try TLSConfigurationCache.make(section))
        entries.withLock { entries in
            // Those of earlier configurations are never asked for again, and hold keys.
            if entries.count >= TLSConfigurationCache.countMax { entries.removeAll() }
            entries[section] = Entry(stamps: stamps, configuration: configuration)
        }
        return configuration
    }

    /// As Go's client begins: nothing older than TLS 1.2.
    static var standard: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    private static func stamp(_ pem: SecretSource?) -> FileStamp {
        var status = stat()
        guard case .file(let path)? = pem, stat(path, &status) == 0 else { return FileStamp() }
        return FileStamp(
            inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: Int64(status.st_mtim.tv_sec),
            nanoseconds: Int64(status.st_mtim.tv_nsec))
    }

    private static func make(_ section: TLSSection) throws(OutboundError) -> TLSConfiguration {
        var configuration = standard
        if let version = section.minVersion { configuration.minimumTLSVersion = version.value }
        if let version = section.maxVersion { configuration.maximumTLSVersion = version.value }
        if section.skipsVerification { configuration.certificateVerification = .none }
        if let authorities = section.authorities {
            let bytes = try authorities.bytes()
            configuration.trustRoots = .certificates(
                try parsing("CA certificate") { try NIOSSLCertificate.fromPEMBytes(bytes) })
        }
        if let certificate = section.certificate, let key = section.key {
            let chain = try certificate.bytes()
            configuration.certificateChain = try parsing("client certificate") {
                try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
            }
            let keyBytes = try key.bytes()
            configuration.privateKey = .privateKey(
                try parsing("client key") { try NIOSSLPrivateKey(bytes: keyBytes, format: .pem) })
        }
        return configuration
    }

    private static func parsing<Value>(_ what: String, _ body: () throws -> Value) throws(OutboundError) -> Value {
        do {
            return try body()
        } catch {
            throw OutboundError(.credentials, "unable to use specified \(what): \(error)")
        }
    }
}

extension TLSSection.Version {
    fileprivate var value: TLSVersion {
        switch self {
        case .tls10: .tlsv1
        case .tls11: .tlsv11
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}

extension SecretSource {
    fileprivate func bytes() throws(OutboundError) -> [UInt8] {
        switch self {
        case .inline(let text): return Array(text.text.utf8)
        case .file(let path):
            do {
                return try ConfigFile.read(path, bytesMax: 1 << 20)
            } catch {
                throw OutboundError(.credentials, "unable to read TLS file: " + error.message)
            }
        }
    }
}
