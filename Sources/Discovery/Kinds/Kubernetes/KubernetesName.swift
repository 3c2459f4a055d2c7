/// Names and values that Kubernetes allows in labels.
enum KubernetesName {
    /// A name of at most 63 bytes, or a DNS name of at most 253 in front of a slash and such a name.
    static func isQualified(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let name = parts.last, parts.count <= 2, !name.isEmpty, isName(Array(name), { isNameByte($0) }) else {
            return false
        }
        guard parts.count == 2 else { return true }
        let labels = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts[0].count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty
                    && isName(Array(label), max: 253) {
                        isAlphanumeric($0) && !isUpper($0) || $0 == UInt8(ascii: "-")
                    }
            }
    }

    static func isLabelValue(_ text: String) -> Bool { isName(Array(text.utf8)) { isNameByte($0) } }

    /// Begins and ends with a letter or digit.
    private static func isName(_ bytes: [UInt8], max: Int = 63, _ isAllowed: (UInt8) -> Bool) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return true }
        return bytes.count <= max && isAlphanumeric(first) && isAlphanumeric(last) && bytes.allSatisfy(isAllowed)
    }

    private static func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isUpper(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
    }
}
