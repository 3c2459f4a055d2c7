import ConfigTree
import SeriesModel

/// The keys about names, in `global` and in a job.
enum NameKeys {
    /// - Parameter owner: for messages, `global` or `scrape config`.
    static func take(
        from section: inout ConfigSection, of owner: String
    ) throws(ConfigError) -> (validation: NameValidation?, escaping: MetricNameEscaping?) {
        var validation: NameValidation?
        if let node = section.take("metric_name_validation_scheme"), !(try node.string()).isEmpty {
            let name = try node.string()
            guard let scheme = NameValidation(rawValue: name) else {
                throw node.error("unrecognized ValidationScheme: \(GoQuote.quote(name))")
            }
            validation = scheme
        }
        var escaping: MetricNameEscaping?
        if let node = section.take("metric_name_escaping_scheme"), !(try node.string()).isEmpty {
            let name = try node.string()
            guard let scheme = MetricNameEscaping(rawValue: name) else {
                throw node.error(
                    "unknown \(owner) name escaping method specified, must be one of "
                        + "'allow-utf-8', 'underscores', 'dots', or 'values', got \(GoQuote.quote(name))")
            }
            escaping = scheme
        }
        return (validation, escaping)
    }
}

/// `$NAME`, `${NAME}` and `$$` in a text, as Go's `os.Expand` reads them.
enum EnvironmentText {
    static func expand(_ text: String, _ value: (String) -> String) -> String {
        var out = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            out += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            let (name, length) = variable(rest)
            if name == "$" {
                out += "$"
            } else if !name.isEmpty {
                out += value(name)
            } else if length == 0 {
                // No name follows: the dollar stands for itself.
                out += "$"
            }
            rest = rest.dropFirst(length)
        }
        return out + rest
    }

    /// The name that a text begins with, and how many characters it takes. No name and some characters: bad syntax,
    /// which is dropped.
    private static func variable(_ text: Substring) -> (name: String, length: Int) {
        guard let first = text.first else { return ("", 0) }
        if first == "{" {
            guard let close = text.firstIndex(of: "}") else { return ("", 1) }
            let name = text[text.index(after: text.startIndex)..<close]
            return (String(name), name.count + 2)
        }
        if "*#$@!?-0123456789".contains(first) { return (String(first), 1) }
        let name = text.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
        return (String(name), name.count)
    }
}
