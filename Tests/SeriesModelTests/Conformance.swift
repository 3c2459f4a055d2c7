import Foundation
import Testing

/// The folder of conformance vectors, which is no part of the repository. Tests that need it say that they were skipped
/// where it is missing.
enum Conformance {
    static let root: URL? = {
        let named = ProcessInfo.processInfo.environment["HEARTH_CONFORMANCE"].map { URL(fileURLWithPath: $0) }
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../shared/conformance").standardized
        return [named, beside].compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0.path) }
    }()

    static func file(_ path: String) -> Data? {
        guard let root else {
            print("skipped: no conformance vectors (set HEARTH_CONFORMANCE)")
            return nil
        }
        return try? Data(contentsOf: root.appendingPathComponent(path))
    }

    /// The cases of one of the JSON lists.
    static func cases(_ path: String) -> [[String: Any]] {
        guard let data = file(path), let list = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            return []
        }
        return list["cases"] as? [[String: Any]] ?? []
    }

    /// A text, or bytes given as `{"hex": …}`.
    static func bytes(_ value: Any?) -> [UInt8] {
        if let text = value as? String { return Array(text.utf8) }
        guard let hex = (value as? [String: Any])?["hex"] as? String else { return [] }
        let digits = Array(hex)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }

    static func number(_ value: Any?) -> Double? {
        if let number = value as? Double { return number }
        switch value as? String {
        case "NaN": return .nan
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        default: return nil
        }
    }
}
