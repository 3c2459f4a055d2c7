package import Foundation

/// The folder of conformance vectors, which is no part of the repository: what `HEARTH_CONFORMANCE` names, or
/// `../shared/conformance` beside the checkout. Tests that need it say that they were skipped where it is missing; where
/// it is there, a file that cannot be read is a failure.
package enum Conformance {
    /// Nil, and a word about it, where there is no such folder.
    package static func folder(_ part: String = "") -> URL? {
        let root =
            ProcessInfo.processInfo.environment["HEARTH_CONFORMANCE"].map { URL(filePath: $0) }
            ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/conformance")
        let folder = root.appending(path: part)
        guard FileManager.default.fileExists(atPath: folder.path) else {
            print("skipped: no conformance vectors at \(folder.path)")
            return nil
        }
        return folder
    }

    /// - Throws: where the folder is there and the file cannot be read.
    package static func file(_ path: String) throws -> Data? {
        guard let folder = folder() else { return nil }
        return try Data(contentsOf: folder.appending(path: path))
    }

    /// The cases of one of the JSON lists; none without the folder.
    package static func cases(_ path: String) throws -> [[String: Any]] {
        guard let data = try file(path) else { return [] }
        let list = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        guard let cases = list?["cases"] as? [[String: Any]], !cases.isEmpty else { throw NoCases(path: path) }
        return cases
    }

    package struct NoCases: Error {
        package let path: String
    }

    /// A text, or bytes given as `{"hex": …}`.
    package static func bytes(_ value: Any?) -> [UInt8] {
        if let text = value as? String { return Array(text.utf8) }
        guard let hex = (value as? [String: Any])?["hex"] as? String else { return [] }
        let digits = Array(hex)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }

    package static func number(_ value: Any?) -> Double? {
        if let number = value as? Double { return number }
        switch value as? String {
        case "NaN": return .nan
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        default: return nil
        }
    }
}
