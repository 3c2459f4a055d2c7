import ConfigTree
import Glibc
import OutboundHTTP

/// How to reach an API server: by the section, by the service account of the pod that we run in, or by a kubeconfig.
struct KubernetesConnection: Sendable {
    private static let accountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// Without a slash at the end.
    var server: String
    var client: HTTPClientSection

    /// Files are read now; what they name, with each request.
    init(
        _ section: KubernetesDiscovery, accountDirectory: String = accountDirectory,
        environment: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
    ) throws(DiscoveryError) {
        if !section.kubeconfig.isEmpty {
            do throws(ConfigError) {
                self = try Kubeconfig(path: section.kubeconfig).connection()
            } catch {
                throw DiscoveryError(String(describing: error))
            }
            return
        }
        if !section.server.isEmpty {
            let hasScheme = URLText.parts(section.server) != nil
            // As client-go: without a scheme it is HTTP, unless TLS is configured.
            let scheme = section.client.tls == TLSSection() ? "http://" : "https://"
            server = URLText.withoutTrailingSlashes(hasScheme ? section.server : scheme + section.server)
            client = section.client
            return
        }
        guard let host = environment("KUBERNETES_SERVICE_HOST"), let port = environment("KUBERNETES_SERVICE_PORT"),
            !host.isEmpty, let number = UInt16(port)
        else {
            throw DiscoveryError(
                "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT "
                    + "must be defined")
        }
        server = "https://" + MetaLabels.address(host, Int(number))
        client = HTTPClientSection()
        client.authorization = .bearer(file: accountDirectory + "/token")
        client.tls.authorities = .file(accountDirectory + "/ca.crt")
    }

    /// The namespaces to look into; nil for all together.
    static func namespaces(
        _ section: KubernetesDiscovery, accountDirectory: String = accountDirectory
    ) throws(DiscoveryError) -> [String?] {
        var names = section.namespaces
        if section.includesOwnNamespace {
            do throws(ConfigError) {
                names.append(try ConfigFile.readTrimmed(accountDirectory + "/namespace"))
            } catch {
                throw DiscoveryError("could not determine the pod's namespace: " + error.message)
            }
        }
        var unique: [String?] = []
        for name in names where !unique.contains(name) { unique.append(name) }
        return unique.isEmpty ? [nil] : unique
    }
}
