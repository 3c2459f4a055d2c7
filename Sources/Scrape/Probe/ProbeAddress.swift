import SeriesModel

/// What a probe is pointed at: `host:port`, or a URL with as much of scheme, path and query as the job shall not decide.
package struct ProbeAddress: Sendable, Hashable {
    package struct Malformed: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Nil where the text says none.
    var scheme: ScrapeConfig.Scheme?
    /// Host and port.
    var address: String
    /// Nil where the text says none.
    var path: String?
    var parameters: [ScrapeConfig.Parameter] = []

    package init(_ text: String) throws(Malformed) {
        var rest = Substring(text)
        if let separator = text.firstRange(of: "://") {
            guard let scheme = ScrapeConfig.Scheme(rawValue: text[..<separator.lowerBound].lowercased()) else {
                throw Malformed(description: "\(GoQuote.quote(text)): only http and https are scraped")
            }
            self.scheme = scheme
            rest = text[separator.upperBound...]
        }
        rest = rest.prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty else { throw Malformed(description: "\(GoQuote.quote(text)) names no host") }
        guard !authority.utf8.contains(UInt8(ascii: "@")) else {
            throw Malformed(description: "credentials belong into a job of a configuration file, not into the URL")
        }
        address = String(authority)
        rest = rest[authority.endIndex...]
        let path = rest.prefix { $0 != "?" }
        if !path.isEmpty { self.path = PercentEncoding.decode(path, plusIsSpace: false) }
        for pair in rest.dropFirst(path.count).dropFirst().split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            add(halves[0], halves.count > 1 ? halves[1] : "")
        }
    }

    private mutating func add(_ name: Substring, _ value: Substring) {
        let name = PercentEncoding.decode(name, plusIsSpace: true)
        let value = PercentEncoding.decode(value, plusIsSpace: true)
        if let index = parameters.firstIndex(where: { $0.name.hasSameBytes(as: name) }) {
            parameters[index].values.append(value)
        } else {
            parameters.append(ScrapeConfig.Parameter(name: name, values: [value]))
        }
    }

    /// The job as it asks this address.
    func applied(to config: ScrapeConfig) -> ScrapeConfig {
        var config = config
        if let scheme { config.scheme = scheme }
        if let path { config.metricsPath = path }
        if !parameters.isEmpty { config.parameters = parameters }
        return config
    }
}
