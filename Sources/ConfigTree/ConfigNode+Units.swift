private import SeriesModel

extension ConfigNode {
    /// A Prometheus duration in milliseconds.
    package func duration() throws(ConfigError) -> Int64 {
        if isNull { return 0 }
        let text = try string()
        do {
            return try DurationText.parse(text)
        } catch let failure {
            throw error(failure.description)
        }
    }

    /// A size in bytes: `512MB`, `10GiB`, `0`. Every unit is a power of 1024, as upstream reads them.
    package func size() throws(ConfigError) -> Int64 {
        if isNull { return 0 }
        let text = try string()
        guard let bytes = ByteSize.parse(text) else { throw error(ByteSize.complaint(text)) }
        return bytes
    }
}

/// Sizes as flags and the configuration file write them.
package enum ByteSize {
    private static let units: [(suffix: String, shift: Int64)] = [
        ("B", 0), ("KB", 10), ("KiB", 10), ("K", 10), ("MB", 20), ("MiB", 20), ("M", 20), ("GB", 30), ("GiB", 30),
        ("G", 30), ("TB", 40), ("TiB", 40), ("T", 40), ("PB", 50), ("PiB", 50), ("P", 50), ("EB", 60), ("EiB", 60),
        ("E", 60),
    ]

    /// Nil where the text is no size or does not fit.
    package static func parse(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = text.dropFirst(digits.count)
        guard !digits.isEmpty, let number = Double(digits) else { return nil }
        if suffix.isEmpty { return number == 0 ? 0 : nil }
        guard let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
        let bytes = number * Double(Int64(1) << unit.shift)
        return bytes < 9e18 ? Int64(bytes) : nil
    }

    /// Why a text is no size, in upstream's words.
    static func complaint(_ text: String) -> String {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
        let isUnknown = Double(digits) != nil && !units.contains { $0.suffix == unit }
        return isUnknown ? "units: unknown unit \(unit) in \(text)" : "units: invalid \(text)"
    }

    /// `10GiB`, with the largest unit that divides the size.
    package static func format(_ bytes: Int64) -> String {
        if bytes == 0 { return "0B" }
        let names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var index = 0
        var rest = bytes
        while rest % 1024 == 0, index < names.count - 1 {
            rest /= 1024
            index += 1
        }
        return String(rest) + names[index]
    }
}
