import ConfigTree
import OutboundHTTP

/// A file of `kubectl`'s: which server to talk to, and as whom. Credentials that a program must be run for are refused.
struct Kubeconfig {
    private let path: String
    private let server: String
    private var client = HTTPClientSection()

    init(path: String) throws(ConfigError) {
        self.path = path
        let bytes = try ConfigFile.read(path, bytesMax: 1 << 20)
        let root = try ConfigNode.parse(String(decoding: bytes, as: UTF8.self), file: path)
        let current = try root.value("current-context").string()
        let context = try Kubeconfig.item(root, "contexts", named: current, "context")
        let cluster = try Kubeconfig.item(
            root, "clusters", named: try context.value("cluster").string(), "cluster")
        server = URLText.withoutTrailingSlashes(try cluster.value("server").string())
        guard URLText.parts(server) != nil else { throw cluster.error("the cluster has no server URL") }
        for key in ["tls-server-name", "proxy-url"] {
            if let node = try cluster.member(key), node.isPresent {
                throw node.error("\"\(key)\" in a kubeconfig is not supported by Hearth yet")
            }
        }
        client.tls.authorities = try pem(cluster, "certificate-authority").map {
            $0.isFile ? .file($0.text) : .inline(Secret($0.text))
        }
        client.tls.skipsVerification = try cluster.member("insecure-skip-tls-verify")?.bool() ?? false
        // A context may do without: the server then asks for no credentials.
        let name = try context.member("user")?.string() ?? ""
        if !name.isEmpty { try take(user: try Kubeconfig.item(root, "users", named: name, "user")) }
    }

    private mutating func take(user: ConfigNode) throws(ConfigError) {
        for key in ["exec", "auth-provider"] {
            if let node = try user.member(key), !node.isNull {
                throw node.error("\"\(key)\" in a kubeconfig is not supported by Hearth")
            }
        }
        // To ask as somebody else than is written would be allowed other things.
        for key in ["as", "as-uid", "as-groups", "as-user-extra"] {
            if let node = try user.member(key), node.isPresent {
                throw node.error("\"\(key)\" in a kubeconfig is not supported by Hearth yet")
            }
        }
        client.tls.certificate = try pem(user, "client-certificate").map {
            $0.isFile ? .file($0.text) : .inline(Secret($0.text))
        }
        client.tls.key = try pem(user, "client-key").map { $0.isFile ? .file($0.text) : .inline(Secret($0.text)) }
        try takeCredentials(user)
    }

    private mutating func takeCredentials(_ user: ConfigNode) throws(ConfigError) {
        let tokenFile = try user.member("tokenFile")?.string() ?? ""
        let token = try user.member("token")?.string() ?? ""
        let name = try user.member("username")?.string() ?? ""
        if !tokenFile.isEmpty {
            client.authorization = .bearer(file: ConfigFile.resolve(tokenFile, in: ConfigFile.directory(of: path)))
        } else if !token.isEmpty {
            client.authorization = .bearer(Secret(token))
        } else if !name.isEmpty {
            client.basicAuth = .user(name, password: Secret(try user.member("password")?.string() ?? ""))
        }
    }

    func connection() -> KubernetesConnection { KubernetesConnection(server: server, client: client) }

    /// The entry of a list by its name: `{name: …, cluster: {…}}`.
    private static func item(
        _ root: ConfigNode, _ list: String, named name: String, _ content: String
    ) throws(ConfigError) -> ConfigNode {
        for entry in try root.member(list)?.sequence() ?? [] where try entry.member("name")?.string() == name {
            return try entry.value(content)
        }
        throw root.error("no entry \"\(name)\" in \"\(list)\"")
    }

    /// A file's path, or the same in base64 under the key with `-data`, which counts more.
    private func pem(_ node: ConfigNode, _ key: String) throws(ConfigError) -> (isFile: Bool, text: String)? {
        if let data = try node.member(key + "-data"), !(try data.string()).isEmpty {
            guard let bytes = Kubeconfig.decoded(base64: try data.string()) else {
                throw data.error("\"\(key)-data\" is not base64")
            }
            return (false, String(decoding: bytes, as: UTF8.self))
        }
        let file = try node.member(key)?.string() ?? ""
        return file.isEmpty ? nil : (true, ConfigFile.resolve(file, in: ConfigFile.directory(of: path)))
    }

    /// RFC 4648, section 4; white space is passed over.
    private static func decoded(base64 text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var word: UInt32 = 0
        var bits = 0
        for byte in text.utf8 {
            let value: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(byte - UInt8(ascii: "a")) + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(byte - UInt8(ascii: "0")) + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="), 0x20, 0x09, 0x0A, 0x0D: continue
            default: return nil
            }
            word = (word & 0xFF) << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        return out
    }
}

extension ConfigNode {
    /// Neither null nor empty.
    fileprivate var isPresent: Bool {
        switch content {
        case .null: false
        case .scalar(let text): !text.isEmpty
        case .sequence(let nodes): !nodes.isEmpty
        case .mapping(let entries): !entries.isEmpty
        }
    }

    fileprivate func member(_ key: String) throws(ConfigError) -> ConfigNode? {
        try entries().first { $0.key == key }?.value
    }

    fileprivate func value(_ key: String) throws(ConfigError) -> ConfigNode {
        guard let node = try member(key) else { throw error("\"\(key)\" is missing") }
        return node
    }
}

extension KubernetesConnection {
    init(server: String, client: HTTPClientSection) {
        self.server = server
        self.client = client
    }
}
