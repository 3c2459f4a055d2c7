import ConfigTree
import SeriesModel

/// The keys about names, in `global` and in a job.
enum NameKeys {
    static func take(
        from section: inout ConfigSection
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
                    "unknown global name escaping method specified, must be one of "
                        + "'allow-utf-8', 'underscores', 'dots', or 'values', got \(GoQuote.quote(name))")
            }
            escaping = scheme
        }
        return (validation, escaping)
    }

    static func check(
        _ validation: NameValidation, _ escaping: MetricNameEscaping?, at node: ConfigNode
    ) throws(ConfigError) {
        if validation == .legacy, escaping == .allowUTF8 {
            throw node.error("utf8 metric names requested but validation scheme is not set to UTF8")
        }
    }
}

/// The keys about native histograms: their defaults are taken, everything else is not served yet.
enum HistogramKeys {
    static func take(from section: inout ConfigSection) throws(ConfigError) {
        for key in ["scrape_native_histograms", "convert_classic_histograms_to_nhcb"] {
            guard let node = section.take(key) else { continue }
            guard try !node.bool() else { throw node.error("\"\(key): true\" is not supported by Hearth yet") }
        }
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
            if rest.first == "$" {
                out += "$"
                rest = rest.dropFirst()
            } else if rest.first == "{", let close = rest.firstIndex(of: "}") {
                let name = rest[rest.index(after: rest.startIndex)..<close]
                if !name.isEmpty { out += value(String(name)) }
                rest = rest[rest.index(after: close)...]
            } else {
                let name = rest.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
                if name.isEmpty { out += "$" } else { out += value(String(name)) }
                rest = rest[name.endIndex...]
            }
        }
        return out + rest
    }
}
