import ConfigTree
import OutboundHTTP
import RemoteStorage
import SeriesModel

/// `tracing`: where spans would be sent.
package struct TracingSection: Sendable, Hashable {
    package enum ClientType: String, Sendable, CaseIterable {
        case http, grpc
    }

    package var clientType = ClientType.grpc
    package var endpoint = ""
    package var samplingFraction = 0.0
    package var isInsecure = false
    var tls = TLSSection()
    var headers: [RequestHeader] = []
    /// `gzip`, or "" for the exporter's own choice.
    package var compression = ""
    /// ms; 0 for the exporter's own choice.
    package var timeout: Int64 = 0

    init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("config.plain")
        if let type = section.present("client_type") {
            guard let value = ClientType(rawValue: try type.string()) else {
                throw type.error(
                    "expected tracing client type to be to be http or grpc, but got \(try type.string())")
            }
            clientType = value
        }
        endpoint = try section.string("endpoint") ?? ""
        samplingFraction = try section.double("sampling_fraction") ?? 0
        isInsecure = try section.bool("insecure") ?? false
        if let node = section.present("tls_config") { tls = try TLSSection(node, baseDirectory: baseDirectory) }
        let headersNode = section.take("headers")
        let compressionNode = section.take("compression")
        timeout = try section.duration("timeout") ?? 0
        try section.finish()
        headers = try RequestHeader.list(
            headersNode,
            authorizationComplaint: "custom authorization header configuration is not yet supported")
        guard !endpoint.isEmpty else { throw node.error("tracing endpoint must be set") }
        if let compressionNode {
            compression = try compressionNode.string()
            guard compression.isEmpty || compression == "gzip" else {
                throw compressionNode.error("invalid compression type \(compression) provided, valid options: gzip")
            }
        }
    }

    var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [
            ("client_type", .text(clientType.rawValue)), ("endpoint", .text(endpoint)),
        ]
        if samplingFraction != 0 { entries.append(("sampling_fraction", .plain("\(samplingFraction)"))) }
        if isInsecure { entries.append(("insecure", .flag(true))) }
        if tls != TLSSection() { entries.append(("tls_config", tls.output)) }
        entries += RequestHeader.output(headers)
        if !compression.isEmpty { entries.append(("compression", .text(compression))) }
        if timeout > 0 { entries.append(("timeout", .plain(DurationText.format(timeout)))) }
        return .mapping(entries)
    }
}
