import Foundation

/// The folder of shared test vectors, where there is one; tests that want it say so when they are skipped.
enum Conformance {
    static func cases(_ file: String) throws -> [[String: Any]]? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder =
            ProcessInfo.processInfo.environment["HEARTH_CONFORMANCE"].map { URL(filePath: $0) }
            ?? root.deletingLastPathComponent().appending(path: "shared/conformance")
        let path = folder.appending(path: "formats/\(file)")
        guard FileManager.default.fileExists(atPath: path.path()) else {
            print("skipped: no conformance file \(path.path())")
            return nil
        }
        let document = try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any]
        return document?["cases"] as? [[String: Any]] ?? []
    }
}
