import Foundation
import TestSupport

/// Whole files of the conformance vectors to begin from, where they are present.
enum SeedFiles {
    /// - Parameter isWanted: by name. Files that an input has no room for are left out.
    static func all(in folder: String, where isWanted: (String) -> Bool) -> [[UInt8]] {
        guard let root = Conformance.folder(folder) else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.filter(isWanted).sorted().compactMap { name in
            let data = try? Data(contentsOf: root.appending(path: name))
            return data.flatMap { $0.isEmpty || $0.count > InputSource.bytesMax ? nil : Array($0) }
        }
    }
}
