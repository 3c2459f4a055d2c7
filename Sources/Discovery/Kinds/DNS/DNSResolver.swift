import NIOCore

/// Looks names up: over UDP, and over TCP where the answer is too long for that.
struct DNSResolver: Sendable {
    /// A look-up ends after this time whatever servers and search lists there are. ms
    private static let lookUpTimeout: Int64 = 60_000

    let configuration: ResolverConfiguration

    /// The records of a name, from the first of the candidates that exists. None where all servers agree that no
    /// candidate exists.
    func lookUp(_ name: String, _ type: DNSRecordType) async throws(DiscoveryError) -> [DNSRecord] {
        let deadline = NIODeadline.now() + .milliseconds(DNSResolver.lookUpTimeout)
        var lastFailure: DiscoveryError?
        for candidate in configuration.candidates(name) {
            do throws(DiscoveryError) {
                if let records = try await ask(candidate, type, deadline) { return records }
            } catch {
                lastFailure = error
            }
            // A name of the list that nobody could say anything about may be the one: later ones may still be good.
        }
        if let lastFailure {
            throw DiscoveryError(
                "could not resolve \"\(name)\": all servers responded with errors to at least one search domain: "
                    + lastFailure.message)
        }
        return []
    }

    /// Asks the servers one after the other. - Returns: nil where there is no such name.
    private func ask(
        _ name: String, _ type: DNSRecordType, _ deadline: NIODeadline
    ) async throws(DiscoveryError) -> [DNSRecord]? {
        var failure = DiscoveryError("could not resolve \(name): no servers returned a viable answer")
        for _ in 0..<configuration.attempts {
            for server in configuration.servers {
                guard !Task.isCancelled, NIODeadline.now() < deadline else { throw failure }
                do throws(DiscoveryError) {
                    let message = try await ask(server, name, type)
                    switch DNSMessage.Code(rawValue: message.code) {
                    case .noError: return message.records
                    case .nameError: return nil
                    default: failure = DiscoveryError("\(server.text) answered \(name) with code \(message.code)")
                    }
                } catch {
                    failure = DiscoveryError("\(server.text): \(error)")
                }
            }
        }
        throw failure
    }

    private func ask(
        _ server: SocketAddress, _ name: String, _ type: DNSRecordType
    ) async throws(DiscoveryError) -> DNSMessage {
        var exchange = DNSExchange(
            server: server, name: name, type: type, timeout: configuration.timeout, usesEDNS: true)
        var message = try await exchange.overUDP()
        if DNSMessage.Code(rawValue: message.code) == .formatError {
            // A server from before EDNS.
            exchange.usesEDNS = false
            message = try await exchange.overUDP()
        }
        return message.isTruncated ? try await exchange.overTCP() : message
    }
}

extension SocketAddress {
    fileprivate var text: String { "\(ipAddress ?? "?"):\(port ?? 0)" }
}
