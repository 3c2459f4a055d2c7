/// Letter case as Go's `strings.ToLower` and `ToUpper` map it: scalar by scalar, so the number of scalars never
/// changes. Unicode's full mappings, which Swift's `uppercased()` follows, turn `ß` into `SS`; the simple ones leave
/// it.
enum CaseMapping {
    static func lowercased(_ text: String) -> String {
        map(text) { scalar in
            // The one scalar whose full lower case has two scalars, and its simple one.
            scalar.value == 0x130 ? "i" : single(scalar.properties.lowercaseMapping) ?? scalar
        }
    }

    static func uppercased(_ text: String) -> String {
        map(text) { scalar in
            // Where the full upper case is longer, the simple one is the title case (Greek with iota below), or none.
            single(scalar.properties.uppercaseMapping) ?? single(scalar.properties.titlecaseMapping) ?? scalar
        }
    }

    private static func map(_ text: String, _ transform: (Unicode.Scalar) -> Unicode.Scalar) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { out.append(transform(scalar)) }
        return String(out)
    }

    private static func single(_ text: String) -> Unicode.Scalar? {
        let scalars = text.unicodeScalars
        return scalars.count == 1 ? scalars.first : nil
    }
}
