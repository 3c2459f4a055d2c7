/// A unit that stands as a word in a metric's name, and the base unit that should stand there.
struct MetricUnit: Hashable {
    let name: String
    let base: String

    /// The first one in a name.
    init?(in metric: String) {
        for word in metric.split(separator: "_") {
            if let base = MetricUnit.base(of: word) {
                (name, self.base) = (String(word), base)
                return
            }
        }
        return nil
    }

    private static func base(of word: Substring) -> String? {
        if let base = bases[String(word)] { return base }
        for prefix in prefixes where word.hasPrefix(prefix) {
            if let base = bases[String(word.dropFirst(prefix.count))] { return base }
        }
        return nil
    }

    /// Words that hide which unit is meant.
    static let abbreviations = ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"]

    private static let bases: [String: String] = {
        let families = [
            "amperes": ["amperes"], "bytes": ["bytes", "bits"], "celsius": ["celsius", "fahrenheit", "rankine"],
            "grams": ["grams", "pounds", "ounces"], "joules": ["joules", "calories"], "kelvin": ["kelvin", "kelvins"],
            "meters": ["meters", "inches", "yards", "miles"], "metres": ["metres"],
            "seconds": ["seconds", "minutes", "hours", "days", "weeks"], "volts": ["volts"],
        ]
        var bases: [String: String] = [:]
        for (base, names) in families {
            for name in names { bases[name] = base }
        }
        return bases
    }()

    private static let prefixes = [
        "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mibi", "giga",
        "gibi", "tera", "tebi", "peta", "pebi",
    ]
}
